//! Single figures, from results and from files.

use crate::support::{catalogue, made, small};
use report::draw::{self, Frame};
use report::plot::{self, Kind, Request};
use std::path::PathBuf;

fn request(kind: Kind, sources: &[PathBuf]) -> Request {
    Request {
        kind,
        sources: sources.to_vec(),
        labels: Vec::new(),
        at: None,
        title: None,
        x_log: None,
        y_log: None,
    }
}

const KINDS: [Kind; 18] = [
    Kind::Throughput,
    Kind::Latency,
    Kind::LatencyMean,
    Kind::Theory,
    Kind::Cdf,
    Kind::Ccdf,
    Kind::Percentiles,
    Kind::Histogram,
    Kind::Series,
    Kind::SeriesP99,
    Kind::Cpu,
    Kind::Switches,
    Kind::Memory,
    Kind::StageQueue,
    Kind::StageThreads,
    Kind::StageBatch,
    Kind::StageService,
    Kind::StageRejects,
];

#[test]
fn every_kind_of_a_run() {
    let made = made(&small());
    for kind in KINDS {
        for log in [None, Some(true), Some(false)] {
            let mut request = request(kind, std::slice::from_ref(&made.path));
            request.y_log = log;
            let figure =
                plot::figure(&request, &catalogue()).unwrap_or_else(|error| panic!("{error}"));
            let svg = draw::svg(&figure, Frame::ALONE).unwrap();
            roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(
                svg,
                draw::svg(&figure, Frame::ALONE).unwrap(),
                "the same every time"
            );
        }
    }
    let error = plot::figure(&request(Kind::Fairness, &[made.path]), &catalogue()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no fairness figure: the results do not have the data for it"
    );
}

#[test]
fn files_are_laid_over_each_other() {
    let made = made(&small());
    let hlog = |name: &str| made.path.join("trials").join(name);
    let hgrm = made.path.join("some.hgrm");
    std::fs::write(&hgrm, "Value Percentile TotalCount 1/(1-Percentile)\n\n0.1 0.0 1 1.0\n1.0 0.5 10 2.0\n9.0 1.0 20\n").unwrap();
    let json = made.path.join("load.json");
    std::fs::write(&json, r#"{"schema": "archbench.load/1", "verdict": "INVALID", "service_time_us": {"p50": 120.0, "p99": 900.0, "max": 5000.0, "count": 5000}}"#).unwrap();
    let sources = [hlog("c003-r1.hlog"), hgrm, json.clone()];
    for kind in [Kind::Cdf, Kind::Ccdf, Kind::Percentiles] {
        let mut request = request(kind, &sources);
        request.labels = vec!["one <&>".into()];
        request.title = Some("Three & a half".into());
        let svg = draw::svg(&plot::figure(&request, &catalogue()).unwrap(), Frame::ALONE).unwrap();
        for label in [
            "one &lt;&amp;&gt;",
            "some",
            "load (INVALID)",
            "Three &amp; a half",
        ] {
            assert!(svg.contains(label), "{label}");
        }
    }
    let rows = plot::figure(&request(Kind::Latency, &sources), &catalogue()).unwrap();
    let svg = draw::svg(&rows, Frame::ALONE).unwrap();
    assert!(svg.contains("\n900 µs") && svg.contains("\n9.00 ms"));
    let alone = std::slice::from_ref(&sources[0]);
    assert!(plot::figure(&request(Kind::LatencyMean, alone), &catalogue()).is_ok());
    // What cannot be drawn is not left out in silence.
    let two = [sources[0].clone(), json];
    let error = plot::figure(&request(Kind::Histogram, &two), &catalogue()).unwrap_err();
    assert!(error.to_string().contains("load.json has no data for it"));
}

#[test]
fn a_png_is_one_without_any_font_of_the_system() {
    let made = made(&small());
    let figure = plot::figure(
        &request(Kind::Cdf, std::slice::from_ref(&made.path)),
        &catalogue(),
    )
    .unwrap();
    let svg = draw::svg(&figure, Frame::ALONE).unwrap();
    let png = draw::png(&svg, 1.0).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let size = |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
    assert_eq!(
        (size(16), size(20)),
        (Frame::ALONE.width, Frame::ALONE.height)
    );
    assert_eq!(png, draw::png(&svg, 1.0).unwrap());
    // Without its text it would be another picture.
    let silent = svg.replace("<text ", "<g ").replace("</text>", "</g>");
    assert_ne!(png, draw::png(&silent, 1.0).unwrap());
    assert!(draw::png(&svg, 1000.0).is_err() && draw::png("<svg", 1.0).is_err());
}

#[test]
fn mistakes_are_explained() {
    let made = made(&small());
    let failed = |request: &Request| plot::figure(request, &catalogue()).unwrap_err().to_string();
    let mut nowhere = request(Kind::Cdf, std::slice::from_ref(&made.path));
    nowhere.at = Some("7 requests/s".into());
    assert!(
        failed(&nowhere).contains("'poisson, 4,000 requests/s'"),
        "{}",
        failed(&nowhere)
    );
    let manifest = request(Kind::Cdf, &[made.path.join("manifest.json")]);
    assert!(failed(&manifest).contains("archbench.load/1"));
    let histogram = request(Kind::Cpu, &[made.path.join("trials/c003-r1.hlog")]);
    assert!(failed(&histogram).contains("needs a results folder"));
    let missing = request(Kind::Cdf, &["no/such/file.hlog".into()]);
    assert!(failed(&missing).starts_with("cannot read no/such/file.hlog"));
    let figure = plot::figure(
        &request(Kind::Cdf, std::slice::from_ref(&made.path)),
        &catalogue(),
    )
    .unwrap();
    let pdf = plot::write(&figure, Frame::ALONE, 1.0, "a.pdf".as_ref()).unwrap_err();
    assert!(pdf.to_string().contains(".svg or .png"));
}

#[test]
fn a_log_that_says_that_it_is_invalid_is_drawn_so() {
    let made = made(&small());
    let log = made.path.join("trials/c003-r1.hlog");
    let mut text = std::fs::read_to_string(&log).unwrap();
    let draw = |kind| {
        let request = request(kind, std::slice::from_ref(&log));
        draw::svg(&plot::figure(&request, &catalogue()).unwrap(), Frame::ALONE).unwrap()
    };
    let kinds = [Kind::Cdf, Kind::Histogram, Kind::Series];
    for kind in kinds {
        let svg = draw(kind);
        assert!(!svg.contains("INVALID"), "{kind}");
        // What the times are, and not just that they are some.
        assert_eq!(svg.contains("Response time"), kind != Kind::Series);
    }
    text.push_str("#[Verdict: INVALID]\n#[INVALID: the generator was late]\n");
    std::fs::write(&log, text).unwrap();
    for kind in kinds {
        assert!(draw(kind).contains("(INVALID)"), "{kind}");
    }
}
