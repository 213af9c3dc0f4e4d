//! Newcomers, who come many at once and ask for nothing, and sessions whose requests come all at once.

mod support;

use load::metric::Metric;
use load::run::Model;
use std::time::Duration;
use support::peer::Spoken;
use support::queue::{Queue, Service};
use support::{go, open_loop, run};

#[test]
fn newcomers_come_beside_those_who_ask() {
    for spoken in [
        Spoken::default(),
        Spoken::default().over_tls(),
        Spoken::http2().over_tls(),
    ] {
        let queue = Queue::over(&spoken, Service::Constant(0.0));
        let mut run = run(queue.address, Duration::from_secs(1));
        run.storm = 7;
        let done = go(spoken.by(run)).expect("a run");
        let served = queue.end();
        let came = done.outcome.newcomers.as_ref().expect("some came");
        assert!(came.made >= 7 && came.failed == 0, "{came:?}");
        // Those of the last storm may be on their way at the end.
        let connections = served.connections as u64;
        assert!(
            (1 + came.made..=8 + came.made).contains(&connections),
            "{connections}; {came:?}"
        );
        let record = &done.outcome.record;
        assert_eq!((record.counts.connected, record.counts.failed()), (1, 0));
        let report = done.report();
        let told = format!("{} newcomers came", came.made);
        assert!(report.notes.iter().any(|note| note.contains(&told)));
        let json: serde_json::Value =
            serde_json::from_slice(&load::report::json::render(&report)).expect("JSON");
        assert_eq!(json["generator"]["newcomers"]["made"], came.made);
    }
}

/// The server speaks HTTP/1.1 in the clear, which is no end of a handshake.
#[test]
fn newcomers_who_cannot_come_are_counted_and_the_first_tells_why() {
    let queue = Queue::new(Service::Constant(0.0), 1);
    let spoken = Spoken::default().over_tls();
    // Whoever asks does so of another server.
    let secured = Queue::over(&spoken, Service::Constant(0.0));
    let mut run = spoken.by(run(secured.address, Duration::from_millis(900)));
    run.addresses.push(queue.address.into());
    (run.storm, run.timeout) = (3, 500 * support::MS);
    let done = go(run).expect("a run");
    let came = done.outcome.newcomers.as_ref().expect("some tried");
    assert!(came.made > 0 && came.failed > 0, "{came:?}");
    let why = came.why.as_deref().expect("a reason");
    assert!(why.contains(&queue.address.to_string()), "{why}");
    queue.end();
    secured.end();
}

/// Ten requests at once to a server that takes 10 ms for each: the last is answered after a tenth of a second, whoever carries them.
#[test]
fn a_page_takes_as_long_as_the_last_of_its_objects() {
    for (spoken, connections, depth) in [
        (Spoken::default(), 2, 1),
        (Spoken::http2(), 1, 10),
        (Spoken::http2().over_tls(), 1, 10),
    ] {
        let queue = Queue::over(&spoken, Service::Constant(10e-3));
        let time = Duration::from_millis(600);
        let mut run = open_loop(queue.address, time, 5.0, false, connections);
        let Model::Open(arrivals) = run.model else {
            panic!("an open loop");
        };
        run.model = Model::PartlyOpen(arrivals, 10);
        (run.session_at_once, run.depth) = (true, depth);
        let done = go(spoken.by(run)).expect("a run");
        queue.end();
        let record = &done.outcome.record;
        assert_eq!((record.counts.completed, record.session.len()), (30, 3));
        // What takes longer is a busy machine's; nothing can be faster.
        assert!(done.quantile(Metric::Session, 0.0) >= 0.1 - 1e-4);
        assert!(record.response.max() >= record.session.max());
        // Each but the first waits for those before it, which all were due with it.
        assert!(done.mean(Metric::Response) >= 0.055 - 1e-4);
    }
}
