//! What is made of what a program has counted.

use super::{compiled, forms};
use crate::emit::states;
use crate::graph::Action;
use crate::picture::{Picture, svg::svg};
use crate::profile::Profile;
use crate::{Compiled, picture};

/// Of each hundred orders sixty are in the album, thirty-nine are fetched, and one is not to be had; a step at a node that shrinks takes
/// a millisecond, any other a microsecond.
fn counted(gallery: &Compiled) -> String {
    let states = states(gallery, true);
    let mut text = format!(
        "flux-profile 1 paths 3 places {} timed 1/32\npath 0 600\npath 1 390\npath 2 10\n",
        states.len()
    );
    for (place, id) in states.iter().enumerate() {
        let is_slow = matches!(gallery.graph.vertex(*id).action, Action::Call { node, .. } if gallery.program.name(node) == "Shrink");
        let mean = if is_slow { 1_000_000 } else { 1000 };
        text.push_str(&format!("place {place} 10 {} 900:10\n", 10 * mean));
    }
    text
}

#[test]
fn the_hot_path_and_the_bottleneck_are_named() {
    let gallery = compiled(forms::GALLERY);
    let profile = Profile::parse(&counted(&gallery), &gallery).unwrap();
    assert_eq!(profile.flows(), 1000);
    let paths = profile.hot_paths(&gallery);
    assert_eq!(paths[0].flows, 390);
    assert_eq!(
        paths[0].nodes,
        [
            "Accept",
            "ReadOrder",
            "LookUp",
            "Fetch",
            "Shrink",
            "Keep",
            "Send",
            "Finish"
        ]
    );
    // Eight nodes, three constraints taken, and a fork.
    assert_eq!(paths[0].mean_ns, 1_000_000.0 + 11.0 * 1000.0);
    assert_eq!(
        paths[2].nodes,
        ["Accept", "ReadOrder", "LookUp", "Fetch", "NotThere"]
    );
    let busy = profile.busy(&gallery);
    assert_eq!((busy[0].node.as_str(), busy[0].runs), ("Shrink", 390));
    assert!(busy[0].share > 0.98 && busy[0].mean_ns == 1_000_000.0);
    let look_up = busy.iter().find(|busy| busy.node == "LookUp").unwrap();
    assert_eq!(look_up.runs, 1000);
}

#[test]
fn the_picture_has_it_too() {
    let gallery = compiled(forms::GALLERY);
    let profile = Profile::parse(&counted(&gallery), &gallery).unwrap();
    let weights = profile.weights(&gallery);
    assert_eq!(weights.edges.values().max(), Some(&1000));
    let svg = svg(&Picture::new(&gallery, Some(&weights)), "gallery");
    for part in [
        "[_, _, kept] 60 %",
        "[_, _, _] 40 %",
        "picture*) 1 %",
        "1.0 ms, 98 % of all time",
    ] {
        assert!(svg.contains(part), "{part}\n{svg}");
    }
    assert_eq!(picture::duration(1500.0), "1.5 µs");
}

#[test]
fn what_is_of_another_program_or_torn_is_refused() {
    let gallery = compiled(forms::GALLERY);
    let refused = |text: &str| Profile::parse(text, &gallery).unwrap_err();
    assert!(refused("").contains("was it written by this program?"));
    let other = counted(&gallery).replace("paths 3", "paths 4");
    assert!(refused(&other).contains("expected 'flux-profile 1 paths 3"));
    for line in [
        "path 3 1",
        "path x",
        "place 99 1 1",
        "place 0 1",
        "place 0 1 1 x:1",
        "place 0 1 1 4:",
        "processor",
        "else 1",
    ] {
        let torn = format!("{}{line}\n", counted(&gallery));
        assert!(
            refused(&torn).contains(&format!("'{line}' is not understood")),
            "{line}"
        );
    }
}
