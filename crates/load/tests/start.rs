//! The start of a run: connections that cannot be made yet do not hold it up.

mod support;

use load::measure::{Error, measure};
use load::run::Control;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A server that accepts nobody; beyond two connections, the kernel lets attempts go unanswered.
#[test]
fn a_run_begins_although_connections_are_still_under_way() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    rustix::net::listen(&listener, 1).expect("a small backlog");
    let address = listener.local_addr().expect("its address");
    let mut run = support::run(address, Duration::from_millis(300));
    (run.clients, run.max_connections) = (20, 20);
    run.timeout = 7_000 * support::MS;
    let began = Instant::now();
    let done = support::go(run).expect("a run");
    // The start and the drain, each bounded; three attempts to connect, one after the other, would take 21 s alone.
    assert!(
        began.elapsed() < Duration::from_secs(18),
        "it took {:?}",
        began.elapsed()
    );
    assert_eq!(done.outcome.record.counts.completed, 0);
}

/// Nobody is told how it ended but by one line, which says how far it came.
#[test]
fn a_run_that_is_ended_while_connecting_says_how_far_it_came() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    rustix::net::listen(&listener, 1).expect("a small backlog");
    let address = listener.local_addr().expect("its address");
    for threads in [1, 3] {
        let mut run = support::run(address, Duration::from_secs(60));
        (run.clients, run.max_connections, run.threads) = (20, 20, threads);
        run.timeout = 60_000 * support::MS;
        let control = Arc::new(Control::default());
        let (ended, run) = (control.clone(), Arc::new(run));
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            ended.stop();
        });
        let error = measure(run, &control, &mut support::Nobody).expect_err("no figures");
        let Error::EndedConnecting { made, wanted, .. } = error else {
            panic!("{error}");
        };
        assert!(made < 20 && wanted == 20, "{error}");
        let words = error.to_string();
        assert!(
            words.contains(&format!("{made} of 20 connections were made")),
            "{words}"
        );
        assert!(
            !words.contains('\n') && !words.contains("failures"),
            "{words}"
        );
    }
}
