//! What lists of filters are, and what each filter does, in virtual time.

use std::time::Duration;

use http::Status;
use tokio::time::{Instant, sleep};
use tower::{Service, ServiceExt};

use super::support::{Reply, Tried, request};
use super::{Filters, KINDS};
use crate::service::Error;

const OK: Reply = Reply {
    after: Duration::ZERO,
    outcome: Ok(Status::NoContent),
};

fn error(list: &str) -> String {
    list.parse::<Filters>().unwrap_err()
}

#[test]
fn whatever_is_wrong_with_a_list_is_told_with_what_there_is() {
    let forms = "auth=USER:PASS, cache=TIME, fail-fast=TIME, fan-out=N, hedge=TIME, limit=N, noop=N, retry=N, shed, stats, timeout=TIME, trace";
    for (list, told) in [
        (
            "timout=2s",
            "no filter is called 'timout', did you mean 'timeout=TIME'?",
        ),
        (
            "stats,cahce=1s",
            "no filter is called 'cahce', did you mean 'cache=TIME'?",
        ),
        ("quantum", "no filter is called 'quantum'"),
        ("stats,", "no filter is called ''"),
        ("timeout", "'timeout' needs a value: timeout=TIME"),
        (
            "timeout=0s",
            "'timeout=0s': it must be more than nothing, like 10ms, as timeout=TIME",
        ),
        (
            "limit=0",
            "'limit=0': expected a number from 1 to 1000000, as limit=N",
        ),
        (
            "retry=x",
            "'retry=x': expected a number from 1 to 10, as retry=N",
        ),
        (
            "auth=me",
            "'auth=me': expected a user and a password, as auth=USER:PASS",
        ),
        ("shed=1", "'shed' takes no value"),
    ] {
        assert_eq!(error(list), format!("{told}; there are {forms}"));
    }
    assert!(error("shed").contains("limit=N,shed"));
    assert!(error("limit=1,stats,shed").contains("limit=N,shed"));
    assert!(error(&["stats"; 13].join(",")).contains("at most 12"));
}

/// Of whatever can be named there is a word in what `archbench models` prints, with its form.
#[test]
fn every_filter_is_described() {
    let diagram = include_str!("../diagram.txt");
    for kind in KINDS {
        let mut lines = diagram.lines();
        let is_there = lines.any(|line| {
            let described = line.trim_start();
            described
                .strip_prefix(&kind.form())
                .or_else(|| described.strip_prefix(&format!("noop, {}", kind.form())))
                .is_some_and(|rest| rest.starts_with("  "))
        });
        assert!(is_there, "{} is not described", kind.form());
    }
}

#[test]
fn those_that_stand_twice_are_told_apart() {
    let filters: Filters = "stats,noop=3,limit=1,stats,trace,stats".parse().unwrap();
    assert_eq!(
        filters.stage_names(),
        ["stats", "limit", "stats 2", "trace", "stats 3"]
    );
}

#[test]
fn a_shed_stands_before_its_limit_however_they_are_named() {
    let parsed = |list: &str| list.parse::<Filters>().unwrap();
    assert_eq!(
        parsed("timeout=2s,limit=256,shed,stats"),
        parsed("timeout=2s,shed,limit=256,stats")
    );
    assert_eq!(
        parsed("shed,stats,limit=1").stage_names(),
        ["shed", "stats", "limit"]
    );
}

/// Whoever was refused stands in no queue for what was full, as long as his connection may be kept.
#[tokio::test(start_paused = true)]
async fn who_is_shed_waits_for_no_room() {
    let slow = Reply::after(100, Status::NoContent);
    let tried = Tried::new("shed,limit=1", &[slow, OK]);
    let first = tokio::spawn(tried.chain.clone().oneshot(request("/", &[])));
    tokio::task::yield_now().await;
    let mut kept = tried.chain.clone();
    let refused = kept.ready().await.unwrap().call(request("/", &[])).await;
    assert_eq!(crate::service::status(&refused), 503);
    assert_eq!(crate::service::status(&first.await.unwrap()), 204);
    assert_eq!(
        tried.get().await,
        204,
        "the room that there is goes to who asks for it"
    );
    drop(kept);
}

/// The list is read from the outside in: what is named first sees the request first, and the response last.
#[tokio::test(start_paused = true)]
async fn filters_stand_in_the_order_in_which_they_are_named() {
    let slow = Reply::after(100, Status::NoContent);
    // A time-out within two attempts, and one around them.
    let within = Tried::new("fan-out=2,timeout=50ms", &[slow, OK]);
    assert_eq!(within.get().await, 204);
    let around = Tried::new("timeout=50ms,fan-out=2", &[slow, OK]);
    assert_eq!(around.get().await, 504);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_answers_504_and_leaves() {
    let tried = Tried::new("timeout=50ms", &[Reply::after(60, Status::NoContent), OK]);
    let begun = Instant::now();
    assert_eq!(tried.get().await, 504);
    assert_eq!(begun.elapsed(), Duration::from_millis(50));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(tried.service.answers(), 0, "it was dropped");
    assert_eq!(tried.get().await, 204);
    assert_eq!(tried.counted("timeout"), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_limit_makes_others_wait_in_order() {
    let tried = Tried::new(
        "stats,limit=2,stats",
        &[Reply::after(10, Status::NoContent)],
    );
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..6 {
        let chain = tried.chain.clone();
        tasks.spawn(async move {
            chain.oneshot(request("/", &[])).await.unwrap();
            (number, begun.elapsed().as_millis())
        });
    }
    let mut ends = tasks.join_all().await;
    ends.sort_unstable();
    assert_eq!(ends, [(0, 10), (1, 10), (2, 20), (3, 20), (4, 30), (5, 30)]);
    assert_eq!((tried.at_most("stats"), tried.at_most("stats 2")), (6, 2));
    assert_eq!(tried.counted("limit"), (6, 0));
}

#[tokio::test(start_paused = true)]
async fn what_would_have_to_wait_is_shed() {
    for list in ["limit=1,shed", "shed,limit=1", "shed,stats,limit=1"] {
        let tried = Tried::new(list, &[Reply::after(10, Status::NoContent)]);
        let all = futures_util::future::join3(tried.get(), tried.get(), tried.get());
        assert_eq!(all.await, (204, 503, 503), "{list}");
        assert_eq!(tried.get().await, 204, "the permit is back");
        assert_eq!(tried.counted("shed"), (4, 2));
        assert_eq!(tried.service.calls(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_repeats_what_failed_and_nothing_else() {
    for (status, calls) in [
        (Status::BadGateway, 3),
        (Status::ServiceUnavailable, 3),
        (Status::GatewayTimeout, 1),
        (Status::NotFound, 1),
        (Status::InternalServerError, 1),
    ] {
        let tried = Tried::new("retry=2", &[Reply::with(status)]);
        assert_eq!(tried.get().await, status.code());
        assert_eq!(tried.service.calls(), calls, "{status:?}");
    }
    let overloaded = Reply {
        outcome: Err(Error::Overloaded),
        ..OK
    };
    let tried = Tried::new("retry=1", &[overloaded, OK]);
    assert_eq!(tried.get().await, 204);
}

/// Where everything fails, repetitions are what the budget has left, however many requests there are.
#[tokio::test(start_paused = true)]
async fn retries_have_a_budget() {
    let tried = Tried::new("retry=10", &[Reply::with(Status::BadGateway)]);
    for _ in 0..1000 {
        tried.get().await;
    }
    let calls = tried.service.calls();
    assert!((1050..=1150).contains(&calls), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn a_hedge_takes_the_first_answer() {
    let late = Reply::after(100, Status::NotFound);
    let tried = Tried::new("hedge=10ms", &[late, Reply::after(5, Status::NoContent)]);
    let begun = Instant::now();
    assert_eq!(tried.get().await, 204);
    assert_eq!(begun.elapsed(), Duration::from_millis(15));
    assert_eq!((tried.service.calls(), tried.service.answers()), (2, 1));
    // What is quick is asked for once.
    assert_eq!(tried.get().await, 204);
    assert_eq!(tried.service.calls(), 3);
    // The second may be the later one, too, and the first may fail meanwhile.
    let tried = Tried::new("hedge=10ms", &[Reply::after(20, Status::NotFound), late]);
    assert_eq!(tried.get().await, 404);
    let fails = Reply {
        after: Duration::from_millis(20),
        outcome: Err(Error::TimedOut),
    };
    let tried = Tried::new("hedge=10ms", &[fails, Reply::after(50, Status::NoContent)]);
    assert_eq!(tried.get().await, 204);
}

/// Where everything is late, asking twice would make it later.
#[tokio::test(start_paused = true)]
async fn hedges_have_a_budget() {
    let tried = Tried::new("hedge=1ms", &[Reply::after(2, Status::NoContent)]);
    let all = (0..2000).map(|_| tried.get());
    futures_util::future::join_all(all.collect::<Vec<_>>()).await;
    let second = tried.service.calls() - 2000;
    assert!((50..=300).contains(&second), "{second}");
}

#[tokio::test(start_paused = true)]
async fn a_fan_out_is_as_late_as_its_last() {
    let failed = Reply::after(1, Status::InternalServerError);
    let replies = [failed, Reply::after(30, Status::NoContent), failed];
    let tried = Tried::new("fan-out=3", &replies);
    let begun = Instant::now();
    assert_eq!(tried.get().await, 204);
    assert_eq!(begun.elapsed(), Duration::from_millis(30));
    assert_eq!(tried.service.calls(), 3);
    let tried = Tried::new("fan-out=2", &[failed]);
    assert_eq!(tried.get().await, 500);
}

#[tokio::test(start_paused = true)]
async fn fail_fast_keeps_from_what_is_out_of_reach() {
    let down = Reply::with(Status::BadGateway);
    let tried = Tried::new("fail-fast=1s", &[OK, down, down, OK]);
    assert_eq!((tried.get().await, tried.get().await), (204, 502));
    for _ in 0..5 {
        assert_eq!(tried.get().await, 503);
    }
    assert_eq!(tried.service.calls(), 2);
    sleep(Duration::from_secs(1)).await;
    // One tries, and is told that nothing has changed.
    assert_eq!((tried.get().await, tried.get().await), (502, 503));
    sleep(Duration::from_secs(1)).await;
    assert_eq!((tried.get().await, tried.get().await), (204, 204));
    assert_eq!(tried.counted("fail-fast"), (11, 6));
}

#[tokio::test(start_paused = true)]
async fn a_user_has_to_say_both() {
    let tried = Tried::new("auth=me:word", &[OK]);
    for (value, status) in [
        ("Basic bWU6d29yZA==", 204),
        ("basic  bWU6d29yZA==", 204),
        ("Basic bWU6d29yZB==", 401),
        ("Basic bWU6d29yZA=", 401),
        ("Basic bWU6d29yZA==x", 401),
        ("Bearer bWU6d29yZA==", 401),
        ("Basic", 401),
        ("", 401),
    ] {
        let asked = request("/", &[("Authorization", value)]);
        assert_eq!(tried.ask(asked).await, status, "{value}");
    }
    assert_eq!(tried.get().await, 401);
    assert_eq!(tried.service.calls(), 2);
    assert_eq!(tried.counted("auth"), (9, 7));
}

#[tokio::test(start_paused = true)]
async fn filters_that_do_nothing_change_nothing() {
    let tried = Tried::new("noop=64,trace,noop", &[OK]);
    assert_eq!(tried.get().await, 204);
    assert_eq!(tried.service.calls(), 1);
}

/// A clone is made ready by itself: one that is, and is not called, keeps its place.
#[tokio::test(start_paused = true)]
async fn a_request_that_leaves_is_no_longer_counted() {
    let tried = Tried::new("limit=1", &[Reply::after(10, Status::NoContent)]);
    let mut held = tried.chain.clone();
    held.ready().await.unwrap();
    let waits = tokio::time::timeout(Duration::from_millis(1), tried.get());
    assert!(waits.await.is_err(), "nobody else is let in");
    assert_eq!(tried.counted("limit").0, 1, "who gave up has left");
    held.call(request("/", &[])).await.unwrap();
    assert_eq!(tried.get().await, 204);
}
