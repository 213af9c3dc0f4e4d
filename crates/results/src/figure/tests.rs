//! Figures by name, and of trials.

use super::*;

#[test]
fn every_figure_reads_back_by_its_name_and_has_its_own_column() {
    let all = Figure::all();
    let mut columns: Vec<_> = all.iter().map(|figure| figure.column()).collect();
    for figure in &all {
        assert_eq!(figure.to_string().parse::<Figure>().as_ref(), Ok(figure));
    }
    columns.sort();
    columns.dedup();
    assert_eq!(columns.len(), all.len());
    assert!(
        columns.contains(&"latency_p99_9_us".to_owned()),
        "{columns:?}"
    );
}

#[test]
fn a_report_that_does_not_say_its_share_of_errors_is_read_as_it_was() {
    let percent = |requests: serde_json::Value| {
        let trial: Trial = serde_json::from_value(serde_json::json!({
            "schema": crate::SCHEMA, "id": "c000-r1", "cell": 0, "factors": {}, "repeat": 1, "block": 1,
            "order": 1, "verdict": "VALID", "started_unix_s": 0.0, "elapsed_s": 1.0,
            "load": { "requests": requests },
        }))
        .unwrap();
        Figure::ErrorPercent.of(&trial)
    };
    let old = serde_json::json!({ "completed": 6, "errors_total": 2, "scheduled": 10 });
    assert_eq!(percent(old.clone()), Some(25.0));
    let mut new = old;
    new["error_percent"] = 20.0.into();
    assert_eq!(percent(new), Some(20.0));
    assert_eq!(percent(serde_json::json!({})), None);
}

/// A figure of a trial of which only the generator's report is known.
fn of_load(figure: &str, load: serde_json::Value) -> Option<f64> {
    let trial: Trial = serde_json::from_value(serde_json::json!({
        "schema": crate::SCHEMA, "id": "c000-r1", "cell": 0, "factors": {"connections": 4.0}, "repeat": 1, "block": 1,
        "order": 1, "verdict": "VALID", "started_unix_s": 0.0, "elapsed_s": 1.0, "load": load,
        "server": {"event": "summary", "cpu": {"per_request_us": 20.0}, "peak_resident_bytes_of_largest_process": 4096},
    }))
    .unwrap();
    figure.parse::<Figure>().unwrap().of(&trial)
}

#[test]
fn availability_is_of_what_was_due_and_of_the_seconds_that_were_measured() {
    // Of those that failed, four timed out, and so are among the censored too; four were never sent, and ten were under way at the end.
    let requests = serde_json::json!({
        "scheduled": 120, "warming_up": 10, "completed": 90, "errors_total": 6, "censored": 18, "unfinished": 10, "never_sent": 4,
    });
    let of_requests = of_load("availability", serde_json::json!({ "requests": requests }));
    assert_eq!(of_requests, Some(90.0));
    let told_less = serde_json::json!({ "completed": 90, "errors_total": 10, "censored": 10 });
    let of_requests = of_load("availability", serde_json::json!({ "requests": told_less }));
    assert_eq!(of_requests, Some(90.0));
    assert_eq!(of_load("availability", serde_json::json!({})), None);
    let second =
        |at_s: f64, completed: u64| serde_json::json!({ "at_s": at_s, "completed": completed });
    // Warming up, three whole seconds of which one is a stall, and a fragment.
    let series = [(1.0, 0), (2.0, 5), (3.0, 0), (4.0, 1), (4.1, 0)];
    let load = serde_json::json!({
        "run": { "warmup_s": 0.9 }, "series": series.map(|(at_s, completed)| second(at_s, completed)),
    });
    let seconds = of_load("available_seconds", load).unwrap();
    assert!((seconds - 200.0 / 3.0).abs() < 1e-9, "{seconds}");
    assert_eq!(of_load("available_seconds", serde_json::json!({})), None);
}

#[test]
fn cost_is_requests_for_each_cpu_second_and_memory_for_each_connection() {
    let none = serde_json::json!({});
    assert_eq!(
        of_load("requests_per_cpu_second", none.clone()),
        Some(50_000.0)
    );
    // As many as were asked for, or as the generator says were made.
    assert_eq!(of_load("memory_per_connection", none), Some(1024.0));
    let made = serde_json::json!({ "generator": { "connections": 8 } });
    assert_eq!(of_load("memory_per_connection", made), Some(512.0));
}

#[test]
fn names() {
    let p99 = Figure::Time(TimeFigure::Latency, Statistic::Percentile(99.0));
    for text in ["p99", "p(99)", " p(99) ", "latency:p99"] {
        assert_eq!(text.parse(), Ok(p99), "{text}");
    }
    let is_reported = |text: &str| text.parse::<Figure>().map(Figure::is_reported);
    assert_eq!(is_reported("p99.9"), Ok(true));
    assert_eq!(is_reported("service:p(98)"), Ok(false));
    for text in ["", "p", "p(0)", "p(101)", "speed", "servic:p99"] {
        assert!(text.parse::<Figure>().is_err(), "{text}");
    }
}

/// A figure of a trial of which only the server's summary is known.
fn of_server(figure: &str, server: serde_json::Value) -> Option<f64> {
    let trial: Trial = serde_json::from_value(serde_json::json!({
        "schema": crate::SCHEMA, "id": "c000-r1", "cell": 0, "factors": {}, "repeat": 1, "block": 1,
        "order": 1, "verdict": "VALID", "started_unix_s": 0.0, "elapsed_s": 1.0, "server": server,
    }))
    .unwrap();
    figure.parse::<Figure>().unwrap().of(&trial)
}

#[test]
fn switches_and_hand_overs_are_counted_for_each_request() {
    let server = |stages: serde_json::Value| {
        serde_json::json!({ "event": "summary", "requests": 10, "stages": stages,
            "context_switches": { "voluntary": 15, "involuntary": 5 } })
    };
    let stages = server(
        serde_json::json!([{ "name": "parse", "events": 10 }, { "name": "send", "events": 20 }]),
    );
    assert_eq!(
        of_server("hand_overs_per_request", stages.clone()),
        Some(3.0)
    );
    assert_eq!(of_server("wake_ups_per_request", stages.clone()), Some(1.5));
    assert_eq!(of_server("switches_per_request", stages), Some(2.0));
    // Of a server without stages nobody has counted them.
    let none = server(serde_json::json!([]));
    assert_eq!(of_server("hand_overs_per_request", none), None);
    let idle = serde_json::json!({ "event": "summary", "requests": 0, "context_switches": { "voluntary": 15 } });
    assert_eq!(of_server("wake_ups_per_request", idle), None);
}

#[test]
fn the_balance_of_loops_is_of_those_that_a_server_has() {
    let balance = |server| of_server("loop_balance", server);
    let of = |connections: &[u64]| {
        balance(serde_json::json!({ "event": "summary", "connections_by_loop": connections }))
    };
    assert_eq!(of(&[5, 5, 5]), Some(1.0));
    assert_eq!(of(&[12, 0, 0, 0]), Some(0.25));
    assert_eq!(balance(serde_json::json!({ "event": "summary" })), None);
}
