//! The geometry of figures: whatever is drawn, text can be read.

use super::canvas::width;
use super::{Frame, svg};
use crate::figure::{
    Axis, Chart, Content, Figure, Look, Mark, Point, Row, Rows, ScaleKind, Series, Unit,
};
use roxmltree::Node;

/// How many series are drawn together.
const COUNTS: [usize; 4] = [3, 8, 16, 24];

/// A narrow one, one in a page, and one by itself.
const FRAMES: [Frame; 3] = [
    Frame {
        width: 300,
        ..Frame::IN_PAGE
    },
    Frame::IN_PAGE,
    Frame::ALONE,
];

/// Numbers from 0 to 1 that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        let state = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = state.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / (1_u64 << 24) as f64
    }
}

fn look(number: usize) -> Look {
    // Families of one, of two, and one that has most of them.
    match number {
        0 | 1 => Look::Family {
            family: number,
            place: 0,
        },
        2..5 => Look::Family {
            family: 2,
            place: number - 2,
        },
        5..22 => Look::Family {
            family: 3,
            place: number - 5,
        },
        _ => Look::Measured(number),
    }
}

fn label(number: usize) -> String {
    let names = ["mt", "iterative", "event-loop", "netmap", "symped, 4 loops"];
    format!("{} {number}", names[number % names.len()])
}

fn figure(content: Content) -> Figure {
    Figure {
        id: "figure".into(),
        title: "What a figure looks like".into(),
        about: String::new(),
        content,
    }
}

/// Lines that end at the right, as far apart as chance has it, or somewhere else; one is theory.
fn chart(count: usize, to_the_end: bool, numbers: &mut Numbers) -> Figure {
    let series = (0..count).map(|number| {
        let (base, slope) = (numbers.next() * 4e4, numbers.next() * 3e4);
        let most = if to_the_end { 8 } else { 3 + number % 6 };
        let points = (0..=most).map(|x| {
            let (x, y) = (f64::from(x as u32), base + slope * x as f64);
            let label = (x as usize).is_multiple_of(2).then(|| "read me".to_owned());
            Point {
                label,
                invalid: number == 1 && x == 2.0,
                range: Some((y * 0.9, y * 1.2)),
                ..Point::at(x * 1000.0, y)
            }
        });
        Series {
            label: label(number),
            look: look(number),
            points: points.collect(),
            joined: true,
        }
    });
    let theory = Series {
        label: "all that is asked for".into(),
        look: Look::Theory(0),
        points: vec![Point::at(0.0, 0.0), Point::at(8000.0, 2e5)],
        joined: true,
    };
    figure(Content::Chart(Chart {
        x: Axis::linear("Offered load (requests/s)", Unit::Plain),
        y: Axis::linear("Throughput (requests/s)", Unit::PerSecond),
        series: series.chain([theory]).collect(),
    }))
}

fn rows(count: usize, numbers: &mut Numbers) -> Figure {
    let rows = (0..count).map(|number| {
        let value = 1e-4 * 10_f64.powf(2.0 * numbers.next());
        Row {
            label: label(number),
            look: look(number),
            mark: Mark::Dot {
                value,
                range: Some((value / 2.0, value * 3.0)),
                each: vec![(value, false), (value * 1.1, number == 2)],
            },
            hover: "read me".into(),
            invalid: false,
        }
    });
    figure(Content::Rows(Rows {
        x: Axis {
            kind: ScaleKind::Log,
            ..Axis::linear("99th percentile of the response time", Unit::Seconds)
        },
        rows: rows.collect(),
    }))
}

/// Left, top, right and bottom, in pixels.
#[derive(Debug, Clone, Copy)]
struct Box {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Box {
    /// About where a line of text is.
    fn of(text: Node<'_, '_>) -> Self {
        let number = |name: &str| {
            let value = text.attribute(name).expect("plotters writes it");
            value
                .trim_end_matches("em")
                .parse::<f64>()
                .expect("a number")
        };
        let (x, size) = (number("x") / 10.0, number("font-size") / 10.0);
        let wide = width(text.text().unwrap_or_default().trim(), size);
        let left = match text.attribute("text-anchor") {
            Some("end") => x - wide,
            Some("middle") => x - wide / 2.0,
            _ => x,
        };
        let below = text.attribute("dy").map_or(0.0, |_| number("dy") * size);
        let baseline = number("y") / 10.0 + below;
        Self {
            left,
            top: baseline - 0.75 * size,
            right: left + wide,
            bottom: baseline + 0.15 * size,
        }
    }

    fn meets(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn holds(&self, (x, y): (f64, f64)) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }
}

/// Whether it is drawn there, as part of a series.
fn is_of_a_series(line: &Node<'_, '_>) -> bool {
    let mut above = line.ancestors();
    above.any(|node| {
        let class = node.attribute("class").unwrap_or_default();
        class.starts_with("series")
    })
}

/// No two texts meet, none leaves the picture, and no line runs through one.
fn check(figure: &Figure, frame: Frame, what: &str) {
    let drawn = svg(figure, frame).unwrap();
    let document = roxmltree::Document::parse(&drawn).unwrap();
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    let texts: Vec<(String, Box)> = texts
        .map(|node| (node.text().unwrap_or_default().trim().into(), Box::of(node)))
        .collect();
    assert!(texts.len() > 4, "{what}");
    let root = document.root_element();
    let height: f64 = root.attribute("height").unwrap().parse().unwrap();
    for (place, (text, here)) in texts.iter().enumerate() {
        let inside = here.left >= 0.0
            && here.right <= f64::from(frame.width)
            && here.top >= 0.0
            && here.bottom <= height;
        assert!(inside, "{what}: '{text}' leaves the picture: {here:?}");
        for (other, there) in &texts[place + 1..] {
            assert!(!here.meets(there), "{what}: '{text}' meets '{other}'");
        }
    }
    let lines = document
        .descendants()
        .filter(|node| node.has_tag_name("polyline"));
    for line in lines.filter(is_of_a_series) {
        for point in line.attribute("points").unwrap().split_whitespace() {
            let (x, y) = point.split_once(',').unwrap();
            let at = |text: &str| text.parse::<f64>().unwrap() / 10.0;
            let met = texts.iter().find(|(_, text)| text.holds((at(x), at(y))));
            assert!(met.is_none(), "{what}: a line runs through {met:?}");
        }
    }
}

#[test]
fn no_label_meets_another_and_none_is_covered() {
    let mut numbers = Numbers(7);
    for count in COUNTS {
        for frame in FRAMES {
            for _ in 0..6 {
                for ends in [true, false] {
                    let what = format!("{count} series, {} wide, {ends}", frame.width);
                    check(&chart(count, ends, &mut numbers), frame, &what);
                }
            }
            check(&rows(count, &mut numbers), frame, "rows");
        }
    }
}

#[test]
fn many_series_have_a_panel_for_each_family_and_each_series_its_key() {
    for count in COUNTS {
        let drawn = svg(&chart(count, true, &mut Numbers(3)), Frame::IN_PAGE).unwrap();
        let document = roxmltree::Document::parse(&drawn).unwrap();
        let of = |class: &str| {
            let groups = document.descendants().filter(|node| {
                let found = node.attribute("class").unwrap_or_default();
                found.split(' ').any(|one| one == class)
            });
            let mut numbers: Vec<usize> = groups
                .filter_map(|node| node.attribute("data-series")?.parse().ok())
                .collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        let all: Vec<usize> = (0..=count).collect();
        assert_eq!((of("key"), of("series")), (all.clone(), all), "{count}");
        let behind = drawn.matches("<use ").count();
        // Two of one, three, seventeen of one in three, two of none.
        let panels = [(3, 0), (8, 0), (16, 5), (24, 7)];
        assert!(panels.contains(&(count, behind)), "{count}: {behind}");
    }
}
