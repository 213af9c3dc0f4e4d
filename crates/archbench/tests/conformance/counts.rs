//! What the server says it did, and what the clients saw.

use serde_json::Value;

use crate::case::{Bench, Case, case, case_of_each_behaviour};
use crate::client::{get, last_get};

pub(crate) const CASES: &[Case] = &[
    case_of_each_behaviour("of_server_and_clients_agree", of_server_and_clients_agree),
    case("come_with_all_their_fields", come_with_all_their_fields),
    case("come_as_text_too", come_as_text_too),
];

fn of_server_and_clients_agree(bench: &Bench) {
    let server = bench.serve(&[]);
    let address = server.address;
    let client = move || {
        let mut bytes = 0;
        for _ in 0..5 {
            let mut client = crate::client::Client::connect(address);
            let requests = get("/file.txt")
                + &get("/kept.bin")
                + &get("/nowhere")
                + &get("/dir")
                + &get("/medium.bin");
            client.send(requests + "BREW /file.txt HTTP/1.1\r\nHost: h\r\n\r\n");
            client.half_close();
            bytes += client.read_to_end().len();
        }
        bytes
    };
    let bytes: usize = if bench.room.is_concurrent() {
        let clients: Vec<_> = (0..4).map(|_| std::thread::spawn(client)).collect();
        clients
            .into_iter()
            .map(|client| client.join().expect("a client"))
            .sum()
    } else {
        (0..4).map(|_| client()).sum()
    };
    let summary = server.stop();
    assert_eq!(summary["connections"], 20, "{summary}");
    assert_eq!(summary["requests"], 120, "{summary}");
    assert_eq!(summary["bytes"], bytes, "{summary}");
    let status = &summary["status"];
    let by_class = ["2xx", "3xx", "4xx", "5xx"].map(|class| status[class].as_u64().unwrap_or(0));
    assert_eq!(by_class, [60, 20, 20, 20], "{summary}");
    assert_eq!(summary["server_time_us"]["count"], 120, "{summary}");
    for (name, count) in summary["errors"].as_object().expect("errors") {
        assert_eq!(count, 0, "{name}");
    }
}

fn come_with_all_their_fields(bench: &Bench) {
    let server = bench.serve(&[]);
    let ready = server.ready.clone();
    assert_eq!(ready["event"], "ready");
    assert_eq!(ready["model"], bench.room.name()[..]);
    assert_eq!(ready["process_id"], server.pid().as_raw_nonzero().get());
    assert_eq!(ready["url"], format!("http://{}/", server.address));
    assert_eq!(ready["root"], bench.site.root().to_str().expect("text"));
    assert!(ready["descriptors"].is_object());
    let mut client = server.connect();
    for _ in 0..20 {
        assert_eq!(client.get("/file.txt").status, 200);
    }
    client.send(last_get("/file.txt"));
    client.read_to_end();
    // Until somebody has looked at its stages, if it has any.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let summary = server.stop();
    // Whatever a room is made of, each stage has handled something, and is known over time.
    for stage in summary["stages"].as_array().expect("stages") {
        assert!(
            stage["name"].as_str().is_some_and(|name| !name.is_empty()),
            "{stage}"
        );
        assert!(stage["threads_peak"].as_u64() > Some(0), "{stage}");
        assert!(
            stage["events"].is_u64() && stage["rejected"] == 0,
            "{stage}"
        );
        let over_time = stage["over_time"].as_object().expect("a course");
        let looks = over_time["at_s"].as_array().expect("times").len();
        assert!(looks > 0, "{stage}");
        for (name, values) in over_time {
            assert_eq!(values.as_array().expect("values").len(), looks, "{name}");
        }
    }
    assert_eq!(summary["schema"], ready["schema"]);
    assert_eq!(summary["model"], bench.room.name()[..]);
    let number = |path: &str| {
        let value = summary.pointer(path).and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("{path} is no number: {summary}"))
    };
    let times = ["min", "p50", "p75", "p90", "p99", "p99.9", "p99.99", "max"];
    let times = times.map(|name| number(&format!("/server_time_us/{name}")));
    assert!(times.is_sorted() && times[0] > 0.0, "{summary}");
    for positive in [
        "/elapsed_s",
        "/cpu/per_request_us",
        "/server_time_us/mean",
        "/peak_resident_bytes_of_largest_process",
        "/peak_threads",
        "/peak_processes",
        "/faults/minor",
        "/context_switches/voluntary",
    ] {
        assert!(number(positive) > 0.0, "{positive}: {summary}");
    }
    for any in [
        "/cpu/user_s",
        "/cpu/system_s",
        "/context_switches/involuntary",
        "/faults/major",
    ] {
        assert!(number(any) >= 0.0);
    }
}

fn come_as_text_too(bench: &Bench) {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};
    let mut command = Command::new(crate::server::BINARY);
    crate::hosts::place(&mut command);
    let mut child = command
        .args([
            "serve",
            "--model",
            bench.room.name(),
            "--addr",
            &crate::hosts::address(),
            "--root",
        ])
        .arg(bench.site.root())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut ready = String::new();
    out.read_line(&mut ready).unwrap();
    let address = ready
        .split("http://")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .and_then(|text| text.parse().ok());
    let mut client =
        crate::client::Client::connect(address.unwrap_or_else(|| panic!("no address: {ready}")));
    client.send(last_get("/file.txt"));
    assert_eq!(client.answer().body.len(), 26);
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    let mut text = String::new();
    out.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    if let Some(stages) = text.split("\n  stage ").nth(1) {
        assert!(
            stages.lines().skip(1).all(|line| line.starts_with("  ")),
            "{text}"
        );
    }
    for words in [
        bench.room.name(),
        "requests",
        "1 in ",
        "2xx 1",
        "readable to sent",
        "processor time",
        "peak memory",
    ] {
        assert!(text.contains(words), "'{words}' is missing:\n{text}");
    }
}
