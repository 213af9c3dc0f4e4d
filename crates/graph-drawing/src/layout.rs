//! Where nodes and edges lie: nodes in layers by their distance from the first (Sugiyama, Tagawa and Toda, 1981, without the search for
//! fewest crossings), each below those that lead to it; edges as curves, each with its label where there is room for it.

/// A place, or an extent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// A rectangle around its middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rectangle {
    pub(crate) middle: Point,
    pub(crate) size: Point,
}

/// A cubic curve: its ends, and a control point beside each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Curve(pub(crate) [Point; 4]);

/// Between two layers, and between two nodes of one.
const BETWEEN_LAYERS: f64 = 112.0;
const BETWEEN_NODES: f64 = 70.0;
/// Between two edges at one side of a node, at the most.
const BETWEEN_EDGES: f64 = 26.0;
/// How far an edge reaches that goes back to its node, or to another of the same layer.
const REACH: f64 = 76.0;
/// Places on an edge where a label may be, the best first.
const ALONG: [f64; 9] = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82];

impl Rectangle {
    fn meets(&self, other: &Self) -> bool {
        let near =
            |here: f64, there: f64, one: f64, two: f64| (here - there).abs() < (one + two) / 2.0;
        near(self.middle.x, other.middle.x, self.size.x, other.size.x)
            && near(self.middle.y, other.middle.y, self.size.y, other.size.y)
    }
}

impl Curve {
    fn at(&self, along: f64) -> Point {
        let [from, leave, enter, to] = self.0;
        let back = 1.0 - along;
        let weights = [
            back * back * back,
            3.0 * back * back * along,
            3.0 * back * along * along,
            along * along * along,
        ];
        let sum = |of: fn(Point) -> f64| {
            let points = [from, leave, enter, to].map(of);
            weights
                .iter()
                .zip(points)
                .map(|(weight, at)| weight * at)
                .sum()
        };
        Point {
            x: sum(|point| point.x),
            y: sum(|point| point.y),
        }
    }
}

/// Places nodes of these sizes. Edges are pairs of their numbers.
pub(crate) fn nodes(sizes: &[Point], edges: &[(usize, usize)]) -> Vec<Rectangle> {
    let layers = layers(sizes.len(), edges);
    let mut placed: Vec<Rectangle> = sizes
        .iter()
        .zip(&layers)
        .map(|(&size, &layer)| Rectangle {
            middle: Point {
                x: 0.0,
                y: layer as f64 * (BETWEEN_LAYERS + size.y),
            },
            size,
        })
        .collect();
    let deepest = layers.iter().copied().max().unwrap_or(0);
    for layer in 0..=deepest {
        // Each is drawn to the middle of those above that it is joined to.
        let drawn_to = |node: usize| {
            let above = edges.iter().filter_map(|&(from, to)| match node {
                node if node == from && layers[to] < layer => Some(to),
                node if node == to && layers[from] < layer => Some(from),
                _ => None,
            });
            let above: Vec<_> = above.map(|other| placed[other].middle.x).collect();
            above.iter().sum::<f64>() / above.len().max(1) as f64
        };
        let mut row: Vec<_> = (0..sizes.len())
            .filter(|&node| layers[node] == layer)
            .map(|node| (node, drawn_to(node)))
            .collect();
        row.sort_by(|one, other| one.1.total_cmp(&other.1));
        let mut free_from = f64::NEG_INFINITY;
        let mut places = Vec::new();
        for &(node, drawn_to) in &row {
            let x = drawn_to.max(free_from + sizes[node].x / 2.0);
            free_from = x + sizes[node].x / 2.0 + BETWEEN_NODES;
            if edges.contains(&(node, node)) {
                free_from += REACH;
            }
            places.push(x);
        }
        // What was pushed to the right is shared by all of the row.
        let pushed = row.iter().zip(&places).map(|((_, to), x)| x - to);
        let pushed = pushed.sum::<f64>() / row.len().max(1) as f64;
        for ((node, _), x) in row.iter().zip(places) {
            placed[*node].middle.x = x - pushed;
        }
    }
    placed
}

/// How many edges away each is from the first; those that cannot be come to from there begin anew.
fn layers(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut layers = vec![None; count];
    for first in 0..count {
        if layers[first].is_some() {
            continue;
        }
        layers[first] = Some(0);
        let mut open = std::collections::VecDeque::from([first]);
        while let Some(node) = open.pop_front() {
            let next = layers[node].unwrap_or(0) + 1;
            for &(_, to) in edges.iter().filter(|(from, _)| *from == node) {
                if layers[to].is_none() {
                    layers[to] = Some(next);
                    open.push_back(to);
                }
            }
        }
    }
    layers.into_iter().map(Option::unwrap_or_default).collect()
}

/// Draws the edges between nodes that have been placed.
pub(crate) fn edges(placed: &[Rectangle], edges: &[(usize, usize)]) -> Vec<Curve> {
    let ports = ports(placed, edges);
    let curve = |(number, &(from, to)): (usize, &(usize, usize))| {
        let (here, there) = (placed[from], placed[to]);
        if from == to {
            let side = here.middle.x + here.size.x / 2.0;
            let at = |x, y| Point {
                x,
                y: here.middle.y + y,
            };
            return Curve([
                at(side, -6.0),
                at(side + REACH, -34.0),
                at(side + REACH, 34.0),
                at(side, 6.0),
            ]);
        }
        let [start, end] = ports[number];
        let down = |node: &Rectangle, port: Point| (port.y - node.middle.y).signum();
        let bend = match here.middle.y == there.middle.y {
            true => REACH,
            false => (end.y - start.y).abs() * 0.45,
        };
        let beside = |node: &Rectangle, port: Point| Point {
            x: port.x,
            y: port.y + bend * down(node, port),
        };
        let (mut leave, mut enter) = (beside(&here, start), beside(&there, end));
        if let Some(x) = around(placed, start, end) {
            // Where both control points lie, three quarters of the way to them are gone at the middle.
            let control = (x - (start.x + end.x) / 8.0) / 0.75;
            (leave.x, enter.x) = (control, control);
        }
        Curve([start, leave, enter, end])
    };
    edges.iter().enumerate().map(curve).collect()
}

/// How far to the side an edge has to go that passes by nodes of layers in between; none: there are none.
fn around(placed: &[Rectangle], start: Point, end: Point) -> Option<f64> {
    let (top, bottom) = (start.y.min(end.y), start.y.max(end.y));
    let between = placed
        .iter()
        .filter(|node| (top..bottom).contains(&node.middle.y));
    let side = |sign: f64| {
        let ends = between
            .clone()
            .map(|node| sign * node.middle.x + node.size.x / 2.0);
        let farthest = ends.fold(None, |most: Option<f64>, end| {
            Some(most.map_or(end, |most| most.max(end)))
        });
        farthest.map(|end| sign * (end + REACH / 2.0))
    };
    let (right, left) = (side(1.0)?, side(-1.0)?);
    let middle = (start.x + end.x) / 2.0;
    let is_right_nearer = (right - middle).abs() <= (left - middle).abs();
    Some(if is_right_nearer { right } else { left })
}

/// Where each edge leaves and enters: below the upper node and above the lower one, side by side with the others there.
fn ports(placed: &[Rectangle], edges: &[(usize, usize)]) -> Vec<[Point; 2]> {
    let mut ports = vec![[Point::default(); 2]; edges.len()];
    for (node, here) in placed.iter().enumerate() {
        for below in [true, false] {
            // The ends of edges on this side, by where they lead.
            let mut ends = Vec::new();
            for (number, &(from, to)) in edges.iter().enumerate() {
                for (end, (own, other)) in [(from, to), (to, from)].into_iter().enumerate() {
                    let there = placed[other].middle;
                    if own == node && other != node && (there.y >= here.middle.y) == below {
                        ends.push((there.x, number, end));
                    }
                }
            }
            ends.sort_by(|one, other| one.0.total_cmp(&other.0));
            let apart = BETWEEN_EDGES.min((here.size.x - 12.0) / ends.len().max(1) as f64);
            let first = here.middle.x - apart * (ends.len() as f64 - 1.0) / 2.0;
            let down = if below { 0.5 } else { -0.5 };
            for (place, (_, number, end)) in ends.into_iter().enumerate() {
                ports[number][end] = Point {
                    x: first + apart * place as f64,
                    y: here.middle.y + down * here.size.y,
                };
            }
        }
    }
    ports
}

/// Puts a label of this size on each curve, where it covers no node and no other label, if there is such a place.
pub(crate) fn labels(placed: &[Rectangle], curves: &[Curve], sizes: &[Point]) -> Vec<Rectangle> {
    let mut taken = placed.to_vec();
    let mut labels = Vec::new();
    for (curve, &size) in curves.iter().zip(sizes) {
        let at = |along: f64| Rectangle {
            middle: curve.at(along),
            size,
        };
        let free = ALONG
            .iter()
            .map(|&along| at(along))
            .find(|label| !taken.iter().any(|other| label.meets(other)));
        let label = free.unwrap_or_else(|| at(ALONG[0]));
        taken.push(label);
        labels.push(label);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Point = Point { x: 80.0, y: 26.0 };

    #[test]
    fn nodes_lie_in_layers_and_none_on_another() {
        let joins = [
            (0, 1),
            (0, 2),
            (0, 3),
            (1, 4),
            (2, 4),
            (4, 0),
            (3, 3),
            (5, 1),
        ];
        let placed = nodes(&[SIZE; 6], &joins);
        let layer = |node: usize| placed[node].middle.y / (BETWEEN_LAYERS + SIZE.y);
        let layers: Vec<_> = (0..6).map(layer).collect();
        assert_eq!(layers, [0.0, 1.0, 1.0, 1.0, 2.0, 0.0]);
        for (number, one) in placed.iter().enumerate() {
            for other in &placed[..number] {
                assert!(!one.meets(other), "{one:?} {other:?}");
            }
        }
        // In the middle of the two that lead to it.
        assert_eq!(
            placed[4].middle.x,
            (placed[0].middle.x + placed[1].middle.x + placed[2].middle.x) / 3.0
        );
    }

    #[test]
    fn an_edge_goes_from_the_lower_side_of_one_node_to_the_upper_of_another() {
        let joins = [(0, 1), (1, 0), (1, 1), (0, 2), (1, 2)];
        let placed = nodes(&[SIZE; 3], &joins);
        let curves = edges(&placed, &joins);
        let half = SIZE.y / 2.0;
        for (curve, &(from, to)) in curves.iter().zip(&joins) {
            let [start, .., end] = curve.0;
            let (here, there) = (placed[from].middle, placed[to].middle);
            if from == to {
                assert_eq!(start.x, here.x + SIZE.x / 2.0);
                continue;
            }
            let down = |here: Point, there: Point| if there.y >= here.y { half } else { -half };
            assert_eq!(start.y, here.y + down(here, there));
            assert_eq!(end.y, there.y + down(there, here));
        }
        // There and back lie side by side.
        assert_ne!(curves[0].0[0].x, curves[1].0[3].x);
    }

    #[test]
    fn an_edge_goes_around_nodes_in_between() {
        let joins = [(0, 1), (1, 2), (2, 0)];
        let placed = nodes(&[SIZE; 3], &joins);
        let curves = edges(&placed, &joins);
        let middle = curves[2].at(0.5);
        assert!(
            (middle.x - placed[1].middle.x).abs() > SIZE.x / 2.0,
            "{middle:?}"
        );
    }

    #[test]
    fn labels_find_room_beside_each_other() {
        let joins = [(0, 1), (1, 0)];
        let placed = nodes(&[SIZE; 2], &joins);
        let curves = edges(&placed, &joins);
        let labels = labels(&placed, &curves, &[Point { x: 60.0, y: 26.0 }; 2]);
        assert!(!labels[0].meets(&labels[1]), "{labels:?}");
        assert!(
            !placed
                .iter()
                .any(|node| labels.iter().any(|label| label.meets(node)))
        );
    }
}
