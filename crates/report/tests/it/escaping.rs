//! Nothing that somebody else wrote becomes markup: every text of a results folder, names, labels and file names are hostile at once.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use crate::support::{catalogue, made, small};
use report::draw::{self, Frame};
use report::plot::{self, FigureKind, Request};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// Ends whatever it stands in, and begins something of its own.
const HOSTILE: &str =
    "x7\"'>]]></text></title></script></style><x7 x7=\"x7\" onload='x7()'><!--&x7;\u{1b}\u{202e}";
/// What of it must not come through, in any context.
const RAW: [&str; 8] = [
    "<x7", "\"'>", "onload='", "<!--", "&x7;", "]]>", "\u{1b}", "\u{202e}",
];

/// Texts that decide what a file is, rather than being shown.
const FIXED: [&str; 5] = ["schema", "verdict", "outcome", "id", "hlog"];

/// Every text that is shown begins with `with`, and stays different from the others.
fn poison(key: &str, value: &mut Value, with: &str) {
    match value {
        Value::String(text) if !FIXED.contains(&key) => *text = format!("{with}{text}"),
        Value::Array(values) => values.iter_mut().for_each(|value| poison(key, value, with)),
        Value::Object(fields) => {
            fields
                .iter_mut()
                .for_each(|(key, value)| poison(key, value, with));
            // Of some, the names are anybody's too.
            if ["errors", "versions", "limits", "mitigations", "factors"].contains(&key) {
                let value = if key == "errors" {
                    Value::from(3)
                } else {
                    Value::from(with)
                };
                fields.insert(with.into(), value);
            }
        }
        _ => {}
    }
}

fn rewrite(path: &Path, change: impl FnOnce(&mut Value)) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut value = serde_json::from_str(&text).unwrap();
    change(&mut value);
    std::fs::write(path, value.to_string()).unwrap();
}

/// What the elements of a page are, and their attributes; its own style and script apart.
fn markup(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let length = rest
            .find(|letter: char| letter == '>' || letter.is_whitespace())
            .unwrap();
        let (name, mut inside) = rest.split_at(length);
        found.insert(name.to_owned());
        loop {
            inside = inside.trim_start();
            if let Some(after) = inside.strip_prefix('>') {
                rest = after;
                break;
            }
            let end = inside.find(['=', '>', ' ', '/']).unwrap();
            found.insert(format!("{name} {}", &inside[..end]));
            inside = &inside[end..];
            if let Some(value) = inside.strip_prefix("=\"") {
                inside = &value[value.find('"').expect("a value has an end") + 1..];
            } else {
                inside = inside.strip_prefix(['/', '=']).unwrap_or(inside);
            }
        }
        if ["style", "script"].contains(&name) {
            rest = &rest[rest.find(&format!("</{name}>")).expect("it has an end")..];
        }
    }
    found
}

/// The page of a run in which every text begins with `with`, and there is one more of whatever has a name.
fn page(with: &str) -> String {
    let made = made(&small());
    rewrite(&made.path.join("manifest.json"), |manifest| {
        poison("", manifest, with);
        // The factors that there are keep their names, or nothing would be drawn.
        let factors = manifest["factors"].as_array_mut().unwrap();
        for factor in &mut *factors {
            factor["name"] = factor["name"].as_str().unwrap().replace(with, "").into();
        }
        factors.push(json!({"name": with, "column": with, "unit": with}));
    });
    rewrite(&made.path.join("verdicts.json"), |verdicts| {
        poison("", verdicts, with);
        verdicts["slo"] = json!([{"cell": 0, "factors": {with: with}, "slo": with, "outcome": "missed", "estimate": 2.0, "low": 1.0,
            "high": 3.0, "limit": 1.0, "unit": with, "margin": -1.0}]);
    });
    for entry in std::fs::read_dir(made.path.join("trials")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            rewrite(&path, |trial| {
                let model = trial.pointer("/load/run/model/name").cloned();
                poison("", trial, with);
                if let Some(model) = model {
                    trial["load"]["run"]["model"]["name"] = model;
                }
                // Of the factor that there is once more, every trial has a level of its own.
                let id = trial["id"].as_str().unwrap().to_owned();
                trial["factors"][with] = format!("{with}{id}").into();
                trial["reasons"] = json!([with]);
            });
        }
    }
    let run = results::read(&made.path).unwrap();
    report::render(&run, &catalogue()).unwrap()
}

#[test]
fn a_page_of_hostile_texts_has_the_markup_of_any_other() {
    let (usual, page) = (page("harmless "), page(HOSTILE));
    for raw in RAW {
        let place = page.find(raw);
        let around = place.map(|place| &page[place - 60..place + raw.len()]);
        assert_eq!(around, None, "{raw}");
    }
    let shown = page
        .matches("&lt;x7 x7=&quot;x7&quot; onload=&#39;x7()&#39;&gt;")
        .count();
    assert!(shown > 100, "it is shown {shown} times");
    assert_eq!(markup(&page), markup(&usual));
    // The policy is that of any other page as well.
    let policy = |page: &str| {
        let rest = page.split("Content-Security-Policy").nth(1)?;
        rest.split('>').next().map(str::to_owned)
    };
    assert!(policy(&page).is_some() && policy(&page) == policy(&usual));
}

#[test]
fn a_figure_of_hostile_names_has_the_elements_of_any_other() {
    let made = made(&small());
    let directory = made.path.parent().unwrap();
    // A name of a file has no slash.
    let named = directory.join(HOSTILE.replace('/', "_") + ".hlog");
    std::fs::copy(made.path.join("trials/c003-r1.hlog"), &named).unwrap();
    let elements = |labels: Vec<String>, title: Option<String>| {
        let request = Request {
            kind: FigureKind::Cdf,
            sources: vec![named.clone(), made.path.join("trials/c004-r1.hlog")],
            labels,
            at: None,
            title,
            x_log: None,
            y_log: None,
        };
        let svg = draw::svg(&plot::figure(&request, &catalogue()).unwrap(), Frame::ALONE).unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{error}"));
        let texts = document
            .descendants()
            .filter_map(|node| node.text())
            .filter(|text| text.contains("<x7 x7="))
            .count();
        let attributes = |node: roxmltree::Node<'_, '_>| {
            let names = node
                .attributes()
                .map(|attribute| attribute.name().to_owned());
            names
                .chain([node.tag_name().name().to_owned()])
                .collect::<Vec<_>>()
        };
        let elements: BTreeSet<_> = document.descendants().flat_map(attributes).collect();
        (elements, texts)
    };
    let (usual, none) = elements(vec!["one".into(), "two".into()], Some("A title".into()));
    let (labelled, some) = elements(
        vec![HOSTILE.into(), format!("{HOSTILE}2")],
        Some(HOSTILE.into()),
    );
    // Without labels, they are called by their files.
    let (named, by_file) = elements(Vec::new(), None);
    assert_eq!((&labelled, &named), (&usual, &usual));
    assert!(
        none == 0 && some > 2 && by_file > 0,
        "{none} {some} {by_file}"
    );
}
