//! The map: a tree of whoever answers whom, for people and in the page.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use crate::support::{catalogue, made, small};
use report::Model;
use report::map::Map;

fn lineages() -> Vec<Model> {
    let answers = [
        ("iterative", &[][..]),
        ("mp", &["iterative"]),
        ("mt", &["mp"]),
        ("pool", &["mt"]),
        ("sped", &["mp", "mt"]),
        ("amped", &["sped"]),
    ];
    let mut catalogue = catalogue();
    for (model, (name, predecessors)) in catalogue.iter_mut().zip(answers) {
        assert_eq!(model.name, name);
        model.predecessors = predecessors.iter().map(ToString::to_string).collect();
        model.summary = format!("what {name} does");
        model.year = Some(1999);
    }
    catalogue
}

#[test]
fn each_stands_below_the_first_that_it_answers() {
    let catalogue = lineages();
    let tree = "\
iterative: sequential, 1999
│  what iterative does
└─ mp: processes, 1999, answers iterative
   │  what mp does
   ├─ mt: threads, 1999, answers mp
   │  │  what mt does
   │  └─ pool: threads, 1999, answers mt
   │        what pool does
   └─ sped: events, 1999, answers mp and mt
      │  what sped does
      └─ amped: events, 1999, answers sped
            what amped does
";
    assert_eq!(Map::of(&catalogue, None).to_string(), tree);
}

#[test]
fn circles_and_strangers_are_all_there_once() {
    let mut catalogue = lineages();
    catalogue[0].predecessors = vec!["amped".into(), "iterative".into()];
    catalogue[3].predecessors = vec!["nobody".into()];
    let tree = Map::of(&catalogue, None).to_string();
    for model in &catalogue {
        let own = format!("what {} does", model.name);
        assert_eq!(tree.matches(&own).count(), 1, "{tree}");
    }
}

#[test]
fn it_says_where_each_was_best_and_who_was_not_measured() {
    let mut fixture = small();
    fixture.mishaps = false;
    fixture.repeats = 3;
    let made = made(&fixture);
    let catalogue = lineages();
    let tree = Map::of(&catalogue, Some(&made.run)).to_string();
    let (_, from) = tree.split_once("iterative: ").unwrap();
    let (first, others) = from.split_once("mp: ").unwrap();
    assert!(first.contains("best: ") && first.contains("closed, 64 clients (throughput, "));
    // A fifth slower, which the repeats show.
    let (_, last) = others.split_once("amped: ").unwrap();
    assert!(!last.contains("throughput"), "{tree}");
    let page = report::render(&made.run, &catalogue).unwrap();
    let (_, map) = page.split_once("<section id=\"map\">").unwrap();
    let (map, _) = map.split_once("</section>").unwrap();
    assert_eq!(map.matches("<li").count(), map.matches("</li>").count());
    assert_eq!(map.matches("<ul").count(), map.matches("</ul>").count());
    assert_eq!(map.matches("class=\"pale\"").count(), 3);
    assert!(map.contains("best: ") && page.contains("<a href=\"#map\">"));
}
