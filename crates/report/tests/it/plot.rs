//! Single figures, from results and from files.

use crate::support::{catalogue, made, small};
use report::draw::{self, Frame};
use report::plot::{self, FigureKind, Request};
use std::path::PathBuf;

fn request(kind: FigureKind, sources: &[PathBuf]) -> Request {
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

const KINDS: [FigureKind; 20] = [
    FigureKind::Throughput,
    FigureKind::Latency,
    FigureKind::LatencyMean,
    FigureKind::Theory,
    FigureKind::Cdf,
    FigureKind::Ccdf,
    FigureKind::Percentiles,
    FigureKind::Histogram,
    FigureKind::Series,
    FigureKind::SeriesP99,
    FigureKind::Cpu,
    FigureKind::Switches,
    FigureKind::Memory,
    FigureKind::StageQueue,
    FigureKind::StageThreads,
    FigureKind::StageBatch,
    FigureKind::StageService,
    FigureKind::StageRejects,
    FigureKind::StageRestarts,
    FigureKind::BlockingGraph,
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
    let error =
        plot::figure(&request(FigureKind::Fairness, &[made.path]), &catalogue()).unwrap_err();
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
    for kind in [FigureKind::Cdf, FigureKind::Ccdf, FigureKind::Percentiles] {
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
    let rows = plot::figure(&request(FigureKind::Latency, &sources), &catalogue()).unwrap();
    let svg = draw::svg(&rows, Frame::ALONE).unwrap();
    assert!(svg.contains("\n900 µs") && svg.contains("\n9.00 ms"));
    let alone = std::slice::from_ref(&sources[0]);
    assert!(plot::figure(&request(FigureKind::LatencyMean, alone), &catalogue()).is_ok());
    // What cannot be drawn is not left out in silence.
    let two = [sources[0].clone(), json];
    let error = plot::figure(&request(FigureKind::Histogram, &two), &catalogue()).unwrap_err();
    assert!(error.to_string().contains("load.json has no data for it"));
}

#[test]
fn a_png_is_one_without_any_font_of_the_system() {
    let made = made(&small());
    let figure = plot::figure(
        &request(FigureKind::Cdf, std::slice::from_ref(&made.path)),
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
    let mut nowhere = request(FigureKind::Cdf, std::slice::from_ref(&made.path));
    nowhere.at = Some("7 requests/s".into());
    assert!(
        failed(&nowhere).contains("'poisson, 4,000 requests/s'"),
        "{}",
        failed(&nowhere)
    );
    let manifest = request(FigureKind::Cdf, &[made.path.join("manifest.json")]);
    assert!(failed(&manifest).contains("archbench.load/1"));
    let histogram = request(FigureKind::Cpu, &[made.path.join("trials/c003-r1.hlog")]);
    assert!(failed(&histogram).contains("needs a results folder"));
    let missing = request(FigureKind::Cdf, &["no/such/file.hlog".into()]);
    assert!(failed(&missing).starts_with("cannot read no/such/file.hlog"));
    let figure = plot::figure(
        &request(FigureKind::Cdf, std::slice::from_ref(&made.path)),
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
    let kinds = [FigureKind::Cdf, FigureKind::Histogram, FigureKind::Series];
    for kind in kinds {
        let svg = draw(kind);
        assert!(!svg.contains("INVALID"), "{kind}");
        // What the times are, and not just that they are some.
        assert_eq!(svg.contains("Response time"), kind != FigureKind::Series);
    }
    text.push_str("#[Verdict: INVALID]\n#[INVALID: the generator was late]\n");
    std::fs::write(&log, text).unwrap();
    for kind in kinds {
        assert!(draw(kind).contains("(INVALID)"), "{kind}");
    }
}

/// Each of them a time in milliseconds.
fn histogram(milliseconds: &[u64]) -> hdrhistogram::Histogram<u64> {
    let mut histogram =
        hdrhistogram::Histogram::new_with_bounds(1, 1 << 40, 3).expect("the bounds are valid");
    for time in milliseconds {
        histogram.saturating_record(time * 1_000_000);
    }
    histogram
}

#[test]
fn requests_that_were_given_up_are_drawn_as_lower_bounds_whatever_the_file() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let second = std::time::Duration::from_secs(1);
    // Of ten requests in each of three seconds, one was given up in the last.
    let mut log = meter::formats::IntervalLog::new(std::time::SystemTime::UNIX_EPOCH, "");
    let answered = [1; 10];
    log.add(
        &histogram(&answered),
        std::time::Duration::ZERO,
        second,
        None,
    );
    log.add(&histogram(&answered), second, second, None);
    let with_one = [[1; 9].as_slice(), &[5000]].concat();
    log.add(&histogram(&with_one), second * 2, second, None);
    log.add(&histogram(&[5000]), second * 2, second, Some("given_up"));
    std::fs::write(at("a.hlog"), log.text()).unwrap();
    let all = histogram(&[answered.as_slice(), &answered, &with_one].concat());
    let from = all.lowest_equivalent(5_000_000_000);
    let mut hgrm = Vec::new();
    meter::formats::hgrm(&all, &mut hgrm).unwrap();
    let comment = meter::formats::bounds_comment(1, from);
    hgrm.extend_from_slice(meter::formats::comment(&comment).as_bytes());
    std::fs::write(at("a.hgrm"), hgrm).unwrap();
    let mut csv = format!("{}\n", meter::formats::CSV_HEADER).into_bytes();
    let times = meter::formats::CsvTimes {
        metric: "response",
        histogram: &all,
        bounds_from: Some(from),
        verdict: "VALID",
    };
    meter::formats::csv_rows(times, &mut csv).unwrap();
    std::fs::write(at("a.csv"), csv).unwrap();
    let row = |at_s: f64, p99: f64, at_least: &[&str]| serde_json::json!({ "at_s": at_s, "completed": 9, "p99_us": p99, "at_least": at_least });
    let json = serde_json::json!({
        "schema": "archbench.load/1", "verdict": "VALID",
        "response_time_us": { "p50": 1000.0, "p99": 5e6, "count": 30, "censored": 1, "at_least": ["p99", "max"] },
        "series": [row(1.0, 1e3, &[]), row(2.0, 1e3, &[]), row(3.0, 5e6, &["p99"])],
    });
    std::fs::write(at("a.json"), json.to_string()).unwrap();
    for name in ["a.hlog", "a.hgrm", "a.csv", "a.json"] {
        let draw = |kind| {
            let request = request(kind, &[at(name)]);
            draw::svg(&plot::figure(&request, &catalogue()).unwrap(), Frame::ALONE).unwrap()
        };
        let latency = draw(FigureKind::Latency);
        assert!(
            latency.contains("(at least)") && latency.contains("≥ 5.00 s"),
            "{name}"
        );
        // What was given up took nobody knows how long.
        let cdf = draw(FigureKind::Cdf);
        assert!(
            cdf.contains("50 % within 1.00 ms") && !cdf.contains("5.00 s"),
            "{name}"
        );
        if !matches!(name, "a.hgrm" | "a.csv") {
            let course = draw(FigureKind::SeriesP99);
            assert!(course.contains(": ≥ 5.00 s"), "{name}");
            // Nine were answered in the last second.
            assert!(draw(FigureKind::Series).contains(": 9.00/s"), "{name}");
        }
    }
}

#[test]
fn csv_of_other_tools_is_drawn() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| {
        std::fs::write(home.path().join(name), text).unwrap();
        home.path().join(name)
    };
    let distribution = at(
        "distribution.csv",
        "\u{feff}\"Value\",\"Percentile\",\"TotalCount\",\"1/(1-Percentile)\"\r\n1.000,0.000000000000,1,1.00\r\n2.000,0.500000000000,500,2.00\r\n9.000,1.000000000000,1000,Infinity\r\n",
    );
    let intervals = at(
        "intervals.csv",
        "#[StartTime: 1.000 (seconds since epoch), Thu Jan 01 00:00:01 UTC 1970]\n\"Timestamp\",\"Int_Count\",\"Int_50%\",\"Int_90%\",\"Int_Max\",\"Total_Count\",\"Total_50%\",\"Total_90%\",\"Total_99%\",\"Total_99.9%\",\"Total_99.99%\",\"Total_Max\"\n1.000,100,0.1,0.2,0.3,100,0.1,0.2,0.3,0.3,0.3,0.3\n2.000,300,0.1,0.2,0.9,400,0.1,0.2,0.4,0.5,0.6,0.9\n",
    );
    let draw = |kind, sources: &[PathBuf]| {
        plot::figure(&request(kind, sources), &catalogue())
            .map(|figure| draw::svg(&figure, Frame::ALONE).unwrap())
            .map_err(|error| error.to_string())
    };
    let both = [distribution, intervals.clone()];
    for kind in [
        FigureKind::Cdf,
        FigureKind::Ccdf,
        FigureKind::Percentiles,
        FigureKind::Latency,
    ] {
        let svg = draw(kind, &both).unwrap();
        assert!(
            svg.contains("distribution") && svg.contains("intervals"),
            "{kind}"
        );
    }
    assert!(draw(FigureKind::Latency, &both).unwrap().contains("400 µs"));
    assert!(
        draw(FigureKind::Series, std::slice::from_ref(&intervals))
            .unwrap()
            .contains("300/s")
    );
    // A table of intervals has no 99th percentile of each.
    let refused = draw(FigureKind::SeriesP99, &[intervals]).unwrap_err();
    assert!(
        refused.contains("intervals.csv has no data for it"),
        "{refused}"
    );
}
