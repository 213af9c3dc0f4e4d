//! Where everything lies: in layers from the sources down (Sugiyama, Tagawa and Toda, 1981).
//!
//! A box lies below all that lead to it; an arrow that passes layers has a bend in each. Within a layer, boxes and bends are put in the
//! order of their neighbours' middles, downward and upward in turn.

use super::{Picture, Shape};

/// Between layers, and between neighbours within one.
const LAYER: f64 = 86.0;
const GAP: f64 = 44.0;
/// How often all layers are put in order, and moved below their neighbours.
const SWEEPS: usize = 8;
/// The width of a letter of a name, and of one that stands at an arrow.
const LETTER: f64 = 7.4;
pub(super) const SMALL_LETTER: f64 = 5.6;
/// The height of a box.
pub(super) const HEIGHT: f64 = 34.0;

/// A picture with places.
pub(super) struct Layout {
    /// The middle of each box, and its width.
    pub(super) boxes: Vec<(f64, f64, f64)>,
    /// The way of each arrow, from box to box.
    pub(super) ways: Vec<Vec<(f64, f64)>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A box, or a bend of an arrow.
struct Item {
    layer: usize,
    width: f64,
    x: f64,
    above: Vec<usize>,
    below: Vec<usize>,
}

impl Layout {
    pub(super) fn of(picture: &Picture) -> Self {
        let layers = layers(picture);
        let mut items: Vec<Item> = picture
            .boxes
            .iter()
            .zip(&layers)
            .map(|(drawn, &layer)| {
                let letters = drawn.name.chars().count() as f64 * LETTER;
                let note = drawn.note.chars().count() as f64 * SMALL_LETTER;
                let width = match drawn.shape {
                    Shape::End => 12.0,
                    Shape::Fork => letters * 1.3 + 44.0,
                    Shape::Source | Shape::Node => letters + 26.0,
                };
                Item::new(layer, width.max(note))
            })
            .collect();
        let mut bends = Vec::new();
        for arrow in &picture.arrows {
            let label = arrow.label.chars().count() as f64 * SMALL_LETTER;
            let mut way = vec![arrow.from];
            for layer in layers[arrow.from] + 1..layers[arrow.to] {
                let bend = items.len();
                items.push(Item::new(layer, label.clamp(10.0, 90.0)));
                way.push(bend);
            }
            way.push(arrow.to);
            for pair in way.windows(2) {
                items[pair[0]].below.push(pair[1]);
                items[pair[1]].above.push(pair[0]);
            }
            bends.push(way);
        }
        place(&mut items);
        let y = |item: &Item| 30.0 + item.layer as f64 * LAYER;
        let ways = bends
            .iter()
            .map(|way| {
                way.iter()
                    .map(|&item| (items[item].x, y(&items[item])))
                    .collect()
            })
            .collect();
        let last = items.iter().map(|item| item.layer).max().unwrap_or(0);
        Self {
            boxes: items[..picture.boxes.len()]
                .iter()
                .map(|item| (item.x, y(item), item.width))
                .collect(),
            ways,
            width: items
                .iter()
                .map(|item| item.x + item.width / 2.0)
                .fold(0.0, f64::max)
                + 20.0,
            height: 60.0 + last as f64 * LAYER,
        }
    }
}

impl Item {
    fn new(layer: usize, width: f64) -> Self {
        Self {
            layer,
            width,
            x: 0.0,
            above: Vec::new(),
            below: Vec::new(),
        }
    }
}

/// The layer of each box: behind the farthest that leads to it.
fn layers(picture: &Picture) -> Vec<usize> {
    let mut layers = vec![0; picture.boxes.len()];
    // No flow comes back to itself, so as many rounds as there are boxes are enough.
    for _ in 0..picture.boxes.len() {
        let mut has_moved = false;
        for arrow in &picture.arrows {
            if layers[arrow.to] <= layers[arrow.from] {
                layers[arrow.to] = layers[arrow.from] + 1;
                has_moved = true;
            }
        }
        if !has_moved {
            break;
        }
    }
    layers
}

fn place(items: &mut [Item]) {
    let last = items.iter().map(|item| item.layer).max().unwrap_or(0);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); last + 1];
    for (number, item) in items.iter().enumerate() {
        rows[item.layer].push(number);
    }
    for row in &rows {
        spread(items, row);
    }
    for sweep in 0..SWEEPS {
        let downward = sweep % 2 == 0;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        if !downward {
            order.reverse();
        }
        for layer in order {
            let wanted = |items: &[Item], number: usize| {
                let item = &items[number];
                let neighbours = if downward { &item.above } else { &item.below };
                if neighbours.is_empty() {
                    return item.x;
                }
                let sum: f64 = neighbours.iter().map(|&other| items[other].x).sum();
                sum / neighbours.len() as f64
            };
            let row = &mut rows[layer];
            row.sort_by(|&one, &other| wanted(items, one).total_cmp(&wanted(items, other)));
            for &number in row.iter() {
                items[number].x = wanted(items, number);
            }
            keep_apart(items, row);
        }
    }
    let left = items
        .iter()
        .map(|item| item.x - item.width / 2.0)
        .fold(f64::MAX, f64::min);
    for item in items {
        item.x += 20.0 - left;
    }
}

/// Side by side.
fn spread(items: &mut [Item], row: &[usize]) {
    let mut x = 0.0;
    for &number in row {
        items[number].x = x + items[number].width / 2.0;
        x += items[number].width + GAP;
    }
}

/// Where two are too close, both make room, so that the row stays where it wants to be.
fn keep_apart(items: &mut [Item], row: &[usize]) {
    let before: f64 = row.iter().map(|&number| items[number].x).sum();
    for pair in row.windows(2) {
        let [one, other] = [pair[0], pair[1]];
        let least = items[one].x + (items[one].width + items[other].width) / 2.0 + GAP;
        items[other].x = items[other].x.max(least);
    }
    let after: f64 = row.iter().map(|&number| items[number].x).sum();
    let shift = (after - before) / row.len().max(1) as f64;
    for &number in row {
        items[number].x -= shift;
    }
}
