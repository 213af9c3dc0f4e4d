//! Parts are put together in memory that does not grow with how many there are.

use contracts::load::{LoadModel, Loop, Run};
use contracts::part::{PartAsked, PartEnded, PartLine, PartSecond};
use load::merge::Arguments;
use load::output::Format;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

const SECONDS: u64 = 2;

/// Times as they are written: 500 values, each greater by 9 µs than the one before and there once.
fn times() -> String {
    use base64::Engine;
    // 9,000 in LEB128, and 1.
    let pairs = [0xa8, 0x46, 0x01].repeat(500);
    base64::prelude::BASE64_STANDARD_NO_PAD.encode(pairs)
}

fn write(directory: &Path, part: u32, parts: u32) {
    let path = directory.join(format!("a.{part}.part"));
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let mut put = |line: u64, set: &dyn Fn(&mut PartLine)| {
        let mut written = PartLine {
            schema: PartLine::SCHEMA.to_owned(),
            run_id: "a".to_owned(),
            part,
            parts,
            line,
            ..PartLine::default()
        };
        set(&mut written);
        serde_json::to_writer(&mut file, &written).expect("written");
        file.write_all(b"\n").expect("written");
    };
    let model = LoadModel {
        name: Some(Loop::Open),
        ..LoadModel::default()
    };
    let run = Run {
        model,
        ..Run::default()
    };
    let asked = PartAsked {
        run,
        ..PartAsked::default()
    };
    put(0, &|line| line.asked = Some(Box::new(asked.clone())));
    for second in 1..=SECONDS {
        let times = ["response", "service", "lag"].map(|name| (name.to_owned(), times()));
        let second_written = PartSecond {
            end_ns: second * 1_000_000_000,
            counts: [("completed".to_owned(), 500)].into(),
            times: times.into_iter().collect(),
            batch_width: 20,
            ..PartSecond::default()
        };
        put(second, &|line| {
            line.second = Some(Box::new(second_written.clone()));
        });
    }
    let ended = PartEnded {
        window_ns: SECONDS * 1_000_000_000,
        ..PartEnded::default()
    };
    put(SECONDS + 1, &|line| {
        line.ended = Some(Box::new(ended.clone()))
    });
}

/// The most bytes that are held while so many parts are put together, and how many answers they are.
fn merge(parts: u32) -> (i64, u64) {
    let home = tempfile::tempdir().expect("a directory");
    (1..=parts).for_each(|part| write(home.path(), part, parts));
    let output = home.path().join("run.json");
    let arguments = Arguments {
        parts: vec![home.path().to_owned()],
        run_id: None,
        slo: Vec::new(),
        output_format: Some(Format::Json),
        output: Some(output.clone()),
        hlog: None,
        quiet: true,
    };
    sys::heap::take_most_bytes_held();
    let before = sys::heap::bytes_held();
    load::merge::run(&arguments).expect("merged");
    let most = sys::heap::take_most_bytes_held() - before;
    let text = std::fs::read_to_string(output).expect("a report");
    let report = <contracts::load::Report as contracts::Document>::parse(&text).expect("a report");
    assert_eq!(report.parts.len(), parts as usize);
    (most, report.requests.completed.unwrap_or(0))
}

#[test]
fn a_thousand_parts_take_the_memory_of_ten() {
    let ((few, _), (many, completed)) = (merge(10), merge(1_000));
    assert_eq!(completed, 1_000 * SECONDS * 500);
    // What is said of each part, in the report and in its text, is some kilobytes; a record of one would be two megabytes.
    let for_each = (many - few) / 990;
    assert!(
        for_each < 16 * 1024,
        "{few} bytes for 10 parts, {many} for 1,000"
    );
}
