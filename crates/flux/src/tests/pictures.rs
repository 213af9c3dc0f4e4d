//! What is drawn of a program.

use super::{compiled, forms, hoisting};
use crate::picture::{Picture, dot::dot, svg::svg};

fn drawn(text: &str) -> (String, String) {
    let picture = Picture::new(&compiled(text), None);
    (svg(&picture, "a <title>"), dot(&picture, "a \"title\""))
}

#[test]
fn everything_of_a_program_is_in_its_picture() {
    let (svg, dot) = drawn(forms::GALLERY);
    for name in [
        "Accept",
        "ReadOrder",
        "LookUp",
        "Develop",
        "Fetch",
        "Shrink",
        "Keep",
        "Send",
        "Finish",
        "NotThere",
    ] {
        assert_eq!(svg.matches(&format!(">{name}</text>")).count(), 1, "{name}");
    }
    for part in [
        "[_, _, kept]",
        "[_, _, _]",
        "(int, bool, picture*, __u8*)",
        "album is held",
        "a &lt;title&gt;",
    ] {
        assert!(svg.contains(part), "{part}\n{svg}");
    }
    // The way from Fetch to its handler, and no other.
    assert_eq!(svg.matches("stroke-dasharray=\"6 4\"").count(), 1);
    assert_eq!(dot.matches("style=dashed").count(), 1);
    assert!(
        dot.contains("shape=house, label=\"Accept\"") && dot.contains("label=\"LookUp\\nalbum?\""),
        "{dot}"
    );
    assert!(dot.contains("digraph \"a \\\"title\\\"\""));
    assert!(roxmltree::Document::parse(&svg).is_ok());
}

/// What is held is drawn where it is held, moved outward or not.
#[test]
fn constraints_are_drawn_where_they_are_held() {
    let (_, dot) = drawn(hoisting::CROSSED);
    assert!(dot.contains("Carve\\nale! bread! cheese!"), "{dot}");
    assert!(dot.contains("Lay\\nale! bread! cheese!"), "{dot}");
}

#[test]
fn a_fragment_without_a_source_is_drawn() {
    let (svg, _) = drawn("Page = Read -> Write; Read (int s) => (int s); Write (int s) => ();");
    assert!(svg.contains(">Read</text>") && svg.contains(">Write</text>"));
}

/// No box of a layer lies upon another.
#[test]
fn boxes_lie_apart() {
    let (svg, _) = drawn(forms::GALLERY);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let number = |node: roxmltree::Node<'_, '_>, name| {
        node.attribute(name)
            .and_then(|text| text.parse::<f64>().ok())
    };
    let boxes: Vec<[f64; 3]> = document
        .descendants()
        .filter(|node| {
            node.tag_name().name() == "rect"
                && node.attribute("height") == Some("34")
                && node.attribute("width") != Some("5")
        })
        .filter_map(|node| {
            Some([
                number(node, "x")?,
                number(node, "y")?,
                number(node, "width")?,
            ])
        })
        .collect();
    assert_eq!(boxes.len(), 9);
    for (place, one) in boxes.iter().enumerate() {
        for other in &boxes[place + 1..] {
            let apart =
                one[1] != other[1] || one[0] + one[2] < other[0] || other[0] + other[2] < one[0];
            assert!(apart, "{one:?} {other:?}");
        }
    }
}
