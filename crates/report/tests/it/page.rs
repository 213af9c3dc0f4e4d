//! The page: whole, the same every time, and safe whatever the names are.

use crate::support::{catalogue, made, small};
use std::collections::BTreeSet;

/// The figures of a page.
fn svgs(page: &str) -> Vec<&str> {
    let starts = page.match_indices("<svg ").map(|(start, _)| start);
    starts
        .map(|start| &page[start..start + page[start..].find("</svg>").expect("closed") + 6])
        .collect()
}

#[test]
fn every_figure_is_well_formed_and_no_identifier_comes_twice() {
    let made = made(&small());
    let page = report::render(&made.run, &catalogue()).unwrap();
    let figures = svgs(&page);
    assert!(figures.len() > 12, "{}", figures.len());
    let mut used = BTreeSet::new();
    for figure in figures {
        let document = roxmltree::Document::parse(figure)
            .unwrap_or_else(|error| panic!("{error} in {figure}"));
        assert!(
            figure.contains("<title id="),
            "it has a name for those who cannot see it"
        );
        for node in document
            .descendants()
            .filter_map(|node| node.attribute("id"))
        {
            assert!(used.insert(node.to_owned()), "{node} comes twice");
        }
        let odd = ["NaN", "inf", "opacity=\"-"];
        assert!(odd.iter().all(|odd| !figure.contains(odd)), "{figure}");
    }
    for part in [
        "id=\"verdict\"",
        "id=\"throughput\"",
        "id=\"theory\"",
        "id=\"tables\"",
        "id=\"stages\"",
        "id=\"blocking\"",
        "id=\"environment\"",
        "id=\"repeat\"",
        "INVALID",
        "FAILED",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn the_page_says_which_network_a_figure_is_from_and_where_the_time_went() {
    let mut made = made(&small());
    let page = report::render(&made.run, &catalogue()).unwrap();
    assert!(page.contains("Over loopback there is no network card"));
    assert!(!page.contains("id=\"wire\""));

    let wire = |at: &str, mean: f64, verdict| results::Wire {
        at: at.into(),
        summary: contracts::wire::Summary {
            verdict: Some(verdict),
            requests: Some(2),
            last_byte_us: Some(contracts::Distribution {
                mean: Some(mean),
                ..Default::default()
            }),
            notes: vec!["3 of 9 packets found the ring <full>".into()],
            ..Default::default()
        },
        ..Default::default()
    };
    for trial in &mut made.run.trials {
        trial.network = Some(results::Network {
            description: "a link of 80ms there & back".into(),
            way: Some("user-space".into()),
            ..Default::default()
        });
        let (valid, suspect) = (results::Validity::Valid, results::Validity::Suspect);
        trial.wire = vec![
            wire("server", 250.0, suspect),
            wire("client", 80_250.0, valid),
        ];
    }
    let page = report::render(&made.run, &catalogue()).unwrap();
    assert!(!page.contains("Over loopback"));
    assert!(page.contains("They spoke over a link of 80ms there &amp; back."));
    assert!(page.contains("take their time by user-space"));
    assert!(page.contains("<a href=\"#wire\">"));
    let model = made.run.trials[0].level("model");
    assert!(page.contains(&format!(
        "<td>{model}</td><td>a link of 80ms there &amp; back</td>"
    )));
    // Server, and what the network adds to it.
    assert!(page.contains("<td>250 µs</td><td>80.0 ms</td>"));
    assert!(page.contains("<td>SUSPECT</td>") && page.contains("the ring &lt;full&gt;"));
}

#[test]
fn the_same_results_make_the_same_page() {
    let (one, other) = (made(&small()), made(&small()));
    let page = report::render(&one.run, &catalogue()).unwrap();
    assert_eq!(page, report::render(&one.run, &catalogue()).unwrap());
    assert_eq!(page, report::render(&other.run, &catalogue()).unwrap());
}

#[test]
fn names_cannot_become_markup() {
    let hostile = [
        "<script>alert(1)</script>",
        "\"onload=\"alert(2)",
        "]]>&<!--",
        "\u{202e}reversed\u{0}\u{1b}",
        "a'b`c",
    ];
    let mut fixture = small();
    fixture.models = hostile.map(Into::into).to_vec();
    fixture.models.push("long".repeat(200));
    let mut made = made(&fixture);
    let manifest = &mut made.run.manifest;
    for field in [
        &mut manifest.name,
        &mut manifest.question,
        &mut manifest.reasoning,
        &mut manifest.experiment,
        &mut manifest.machine.kernel,
    ] {
        *field = hostile.join("\n\n");
    }
    manifest.notices = hostile.map(Into::into).to_vec();
    manifest.command = hostile.map(Into::into).to_vec();
    for trial in &mut made.run.trials {
        trial.reasons = hostile.map(Into::into).to_vec();
    }
    let page = report::render(&made.run, &catalogue()).unwrap();
    assert_eq!(page.matches("<script").count(), 1, "only the page's own");
    assert!(
        !page.contains("\"onload")
            && !page.contains("<!--")
            && !page.contains('\0')
            && !page.contains('\u{202e}')
    );
    for figure in svgs(&page) {
        roxmltree::Document::parse(figure).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn nothing_comes_from_elsewhere_and_only_what_is_inlined_may_run() {
    let made = made(&small());
    let page = report::render(&made.run, &catalogue()).unwrap();
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    let address = page.replace("http://www.w3.org/2000/svg", "");
    for reference in [
        "http://", "https://", " src=", "@import", "url(", " style=", " on",
    ] {
        let found = address
            .find(reference)
            .map(|place| &address[place..address.len().min(place + 60)]);
        // Words may begin with "on"; attributes have an equals sign.
        let attribute = found.filter(|found| {
            reference != " on"
                || found
                    .split([' ', '>'])
                    .nth(1)
                    .is_some_and(|word| word.contains("=\""))
        });
        assert_eq!(attribute, None, "{reference}");
    }
}

#[test]
fn a_run_that_has_hardly_begun_has_a_page_too() {
    let mut made = made(&small());
    made.run.verdicts = None;
    made.run.trials.truncate(1);
    let page = report::render(&made.run, &catalogue()).unwrap();
    assert!(page.contains("not finished") && page.contains("There is no verdict yet"));
    made.run.trials.clear();
    let page = report::render(&made.run, &catalogue()).unwrap();
    assert!(svgs(&page).is_empty(), "figures without data are left out");
}

#[test]
fn where_circumstances_go_without_saying_titles_end_before_them() {
    let mut fixture = small();
    fixture.connections = Vec::new();
    let made = made(&fixture);
    let page = report::render(&made.run, &catalogue()).unwrap();
    assert!(page.contains("<h3>Mean latency of sped and theory</h3>"));
    assert!(!page.contains(",</h3>") && !page.contains(", </h3>"));
}

#[test]
fn an_architecture_looks_the_same_in_every_report() {
    let all = made(&small());
    let mut fixture = small();
    fixture.models = vec!["amped".into()];
    let alone = made(&fixture);
    // The second of the fourth family, whoever else is there.
    for run in [&all.run, &alone.run] {
        let page = report::render(run, &catalogue()).unwrap();
        let (_, from) = page
            .split_once("id=\"latency-p99-closed-connections\"")
            .unwrap();
        let legend = &from[..from.find(">\namped").unwrap()];
        let class = &legend[legend.rfind("class=\"key ").unwrap()..];
        assert!(class.starts_with("class=\"key c3 s1\""), "{class}");
    }
}

#[test]
fn a_damaged_log_costs_its_trial_and_not_the_report() {
    let made = made(&small());
    std::fs::write(
        made.path.join("trials/c000-r1.hlog"),
        "#[cut short\n0,1,2,HIST",
    )
    .unwrap();
    std::fs::remove_file(made.path.join("trials/c002-r1.hlog")).unwrap();
    let run = results::read(&made.path).unwrap();
    let page = report::render(&run, &catalogue()).unwrap();
    for name in ["c000-r1.hlog is no histogram log", "c002-r1.hlog"] {
        let (_, warned) = page.split_once("<p class=\"warning\">").unwrap();
        assert!(warned.contains(name), "{name}");
    }
    assert!(page.contains("id=\"cdf-"));
}

#[test]
fn a_single_repeat_has_beside_it_how_well_its_run_knows_it() {
    for (repeats, is_shown) in [(1, true), (2, false)] {
        let mut fixture = small();
        (fixture.repeats, fixture.mishaps) = (repeats, false);
        let mut made = made(&fixture);
        let known = |relative| contracts::load::Within {
            relative: Some(relative),
            ..Default::default()
        };
        for trial in &mut made.run.trials {
            let statistics = [("mean", 0.1234), ("p99", 0.4321)];
            trial.load.as_mut().unwrap().precision = Some(contracts::load::Precision {
                statistics: statistics
                    .map(|(of, relative)| (of.to_owned(), known(relative)))
                    .into(),
                ..Default::default()
            });
        }
        let page = report::render(&made.run, &catalogue()).unwrap();
        for known in ["<small>±12.3 %</small>", "<small>±43.2 %</small>"] {
            assert_eq!(page.contains(known), is_shown, "{repeats}: {known}");
        }
        assert_eq!(page.contains("±43.2 % within its run"), is_shown);
    }
}

#[test]
fn objectives_are_a_table() {
    let mut made = made(&small());
    let judged = results::JudgedSlo {
        at_least: false,
        cell: 0,
        factors: made.run.trials[0].factors.clone(),
        slo: "p(99)<10ms".into(),
        outcome: results::Outcome::Missed,
        estimate: Some(12_345.6),
        low: None,
        high: None,
        limit: 10_000.0,
        unit: "us".into(),
        margin: Some(-0.2346),
        unknown: Default::default(),
    };
    made.run.verdicts.as_mut().unwrap().slo = vec![judged];
    let page = report::render(&made.run, &catalogue()).unwrap();
    for part in ["<code>p(99)&lt;10ms</code>", "✕ missed", "12.3 ms", "−23 %"] {
        assert!(page.contains(part), "{part}");
    }
}
