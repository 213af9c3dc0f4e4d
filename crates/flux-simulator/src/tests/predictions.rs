//! Predicted beside measured, tried on results that nobody has measured: each model there is a queue M/M/1, with 20 µs besides.

use std::time::Duration;

use contracts::Document as _;
use contracts::load::Report;
use flux::profile::Profile;
use results::fixture::Fixture;

use super::{ONE, compiled};
use crate::curve::Arrivals;
use crate::measured::{of_reports, of_results};
use crate::model::{Runtime, Settings};
use crate::predict::{Prediction, Quantity, predict};
use crate::run::Run;
use crate::times::ServiceTimes;

/// A node of this many nanoseconds on the average.
fn profile(mean_ns: u64) -> Profile {
    let text = format!(
        "flux-profile 1 paths 1 places 1 timed 1/32\npath 0 1000\nplace 0 1000 {} 4096:1000\n",
        1000 * mean_ns
    );
    Profile::parse(&text, &compiled(ONE)).unwrap()
}

fn predicted(mean_ns: u64, run: &results::Run, model: Option<&str>) -> Result<Prediction, String> {
    let settings = Settings {
        runtime: Runtime::Thread,
        slice: Duration::from_secs(1),
        service_times: ServiceTimes::Exponential,
        ..Settings::default()
    };
    let how = Run {
        delay: Duration::from_micros(20),
        ..Run::default()
    };
    let measured = of_results(run, model)?;
    let predicted = predict(&compiled(ONE), &profile(mean_ns), &settings, &measured, how);
    predicted.map(|(prediction, _)| prediction)
}

#[test]
fn a_queue_is_predicted_by_its_service_times_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture {
        models: vec!["one".into(), "other".into()],
        rates: vec![1000.0, 5000.0, 8000.0, 9000.0],
        mishaps: false,
        seconds: 10,
        ..Fixture::default()
    };
    let run = fixture.write(&folder.path().join("results")).unwrap();
    let good = predicted(100_000, &run, Some("one")).unwrap();
    assert_eq!(good.capacity_per_s, 10_000.0);
    assert!(good.holds(), "{good:?}");
    let held: Vec<_> = good.loads.iter().map(|load| load.is_held).collect();
    assert_eq!(held, [true, true, true, false]);
    assert_eq!(Prediction::parse(&good.pretty().unwrap()).unwrap(), good);
    // A node that takes a seventh less than it does is found out, where it matters: the queue.
    let bad = predicted(86_000, &run, Some("one")).unwrap();
    assert!(!bad.holds());
    let mean = bad.loads[2]
        .figures
        .iter()
        .find(|pair| pair.quantity == Quantity::Mean);
    assert!(mean.unwrap().error() < -0.3);
    let told = bad.to_string();
    assert!(told.contains("0.90 to 1.10  MISSED\n"), "{told}");
    assert!(told.ends_with("is NOT within its bounds"), "{told}");
    let told = good.to_string();
    for verdict in ["met", "not held to them"] {
        assert!(
            told.contains(&format!("0.75 to 1.25  {verdict}\n")),
            "{told}"
        );
    }
    // The other model is another server.
    assert!(!predicted(100_000, &run, Some("other")).unwrap().holds());
    let wrong = predicted(100_000, &run, None).unwrap_err();
    assert!(wrong.contains("say --model, one of one, other"), "{wrong}");
    let wrong = predicted(100_000, &run, Some("third")).unwrap_err();
    assert!(
        wrong.contains("no trial of 'third' at a rate counts"),
        "{wrong}"
    );
}

#[test]
fn reports_of_the_generator_are_a_curve_too() {
    let report = |rate: f64, arrivals: &str, mean_us: f64, verdict: &str| {
        let text = format!(
            r#"{{"schema": "archbench.load/1", "verdict": "{verdict}",
                "throughput": {{"requests_per_s": {rate}}},
                "response_time_us": {{"mean": {mean_us}, "p99": {p99}}},
                "precision": {{"statistics": {{"mean": {{"relative": 0.04}}}}}},
                "run": {{"model": {{"name": "open", "arrivals": "{arrivals}",
                    "stages": [{{"from_per_s": {rate}, "to_per_s": {rate}}}]}}}}}}"#,
            p99 = 4.0 * mean_us,
        );
        Report::parse(&text).unwrap()
    };
    let reports = [
        report(200.0, "poisson", 3000.0, "VALID"),
        report(100.0, "constant", 1000.0, "SUSPECT"),
        report(200.0, "poisson", 5000.0, "VALID"),
        report(200.0, "poisson", 4000.0, "VALID"),
        report(300.0, "poisson", 9000.0, "INVALID"),
    ];
    let curve = of_reports(&reports).unwrap();
    let loads: Vec<_> = curve
        .iter()
        .map(|one| (one.offered_per_s, one.arrivals, one.mean_s, one.p99_s))
        .collect();
    assert_eq!(
        loads,
        [
            (100.0, Arrivals::Constant, 1e-3, 4e-3),
            (200.0, Arrivals::Poisson, 4e-3, 16e-3)
        ]
    );
    // Of several reports none says how well their median is known.
    let known_to: Vec<_> = curve.iter().map(|one| one.known_to).collect();
    assert_eq!(known_to, [(Some(0.04), None), (None, None)]);
    assert!(of_reports(&reports[4..]).unwrap_err().contains("counts"));
}
