use super::*;

const MS: Duration = Duration::from_millis(1);

#[test]
fn limits_are_off_or_fixed_or_a_range() {
    let limits = |least, most| Ok(Limits { least, most });
    assert_eq!(Limits::parse("off"), limits(1, 1));
    assert_eq!(Limits::parse("16"), limits(16, 16));
    assert_eq!(Limits::parse("2..64"), limits(2, 64));
    for wrong in ["", "0", "-1", "4..2", "0..4", "1..", "..4", "5000", "on"] {
        let error = Limits::parse(wrong).unwrap_err();
        assert!(error.contains(&format!("'{wrong}'")), "{error}");
    }
}

#[test]
fn admission_is_off_or_a_rate_or_a_target() {
    assert_eq!(Admit::parse("off"), Ok(Admit::All));
    assert_eq!(Admit::parse("2000/s"), Ok(Admit::Rate(2000.0)));
    assert_eq!(Admit::parse("p90<50ms"), Ok(Admit::Within(50 * MS)));
    for wrong in ["", "on", "-1", "0", "p90<", "p90<0s", "p99<50ms"] {
        let error = Admit::parse(wrong).unwrap_err();
        assert!(error.contains(&format!("'{wrong}'")), "{error}");
    }
}

/// A stage whose events each hold a thread for so long, under a load, looked at every 100 ms: the threads it comes to.
fn threads_under(arrivals_per_s: f64, service: Duration, limits: Limits) -> usize {
    let (mut threads, mut waiting) = (limits.least, 0.0_f64);
    for _ in 0..300 {
        let capacity_per_s = threads as f64 / service.as_secs_f64();
        waiting = (waiting + (arrivals_per_s - capacity_per_s) * 0.1).clamp(0.0, 1000.0);
        threads += usize::from(is_to_grow(waiting as usize, 1, threads, limits));
    }
    threads
}

#[test]
fn a_pool_grows_to_what_the_load_needs() {
    let limits = Limits { least: 1, most: 16 };
    let needed = |rate: f64| (rate * 0.01).ceil() as usize;
    for rate in [50.0, 150.0, 450.0, 950.0] {
        // Beyond the need only to work off what waited when it had grown so far.
        let threads = threads_under(rate, 10 * MS, limits);
        assert!(
            (needed(rate)..=2 * needed(rate)).contains(&threads),
            "{rate}/s: {threads}"
        );
    }
    // The cap holds, and a pool that is fixed stays.
    assert_eq!(threads_under(9000.0, 10 * MS, limits), 16);
    assert_eq!(
        threads_under(9000.0, 10 * MS, Limits { least: 3, most: 3 }),
        3
    );
}

#[test]
fn a_pool_keeps_its_least() {
    let limits = Limits { least: 2, most: 4 };
    assert!(is_to_retire(3, limits) && !is_to_retire(2, limits));
}

#[test]
fn a_batch_shrinks_while_the_throughput_holds_and_resets_when_it_drops() {
    let mut batching = Batching::new(Limits { least: 4, most: 64 });
    let mut events = 0;
    let mut second_of = |count: u64, batching: &mut Batching| {
        events += count;
        batching.observe(events, Duration::from_secs(1));
        batching.limit()
    };
    assert_eq!(second_of(1000, &mut batching), 64);
    let shrinking: Vec<_> = (0..30).map(|_| second_of(1000, &mut batching)).collect();
    assert!(
        shrinking.is_sorted_by(|before, after| before >= after),
        "{shrinking:?}"
    );
    assert_eq!(shrinking[29], 4);
    // A little less is noise.
    assert_eq!(second_of(950, &mut batching), 4);
    assert_eq!(second_of(700, &mut batching), 64);
    // Nothing to do, then work again.
    assert_eq!(second_of(0, &mut batching), 64);
    assert_eq!(second_of(0, &mut batching), 64);
    assert_eq!(second_of(1000, &mut batching), 64);
    assert!(second_of(1000, &mut batching) < 64);
    let mut fixed = Batching::new(Limits { least: 8, most: 8 });
    for second in 1..10 {
        fixed.observe(second * 100, Duration::from_secs(1));
        assert_eq!(fixed.limit(), 8);
    }
}

#[test]
fn a_fixed_rate_lets_in_so_many() {
    let mut admission = Admission::new(Admit::Rate(100.0));
    let admitted = (0..10_000).filter(|&ms| admission.admits(ms * MS)).count();
    assert!((995..=1005).contains(&admitted), "{admitted} in 10 s");
    let mut all = Admission::new(Admit::All);
    assert!((0..10_000).all(|ms| all.admits(ms * MS)));
}

/// One server that takes `service` for each request, and what comes in order; arrivals are even. Returns how many of the
/// last half were let in, and the 90th percentile of their response times.
fn overloaded(
    admit: Admit,
    arrivals_per_s: u64,
    service: Duration,
    seconds: u64,
) -> (u64, Duration) {
    let mut admission = Admission::new(admit);
    let mut free_at = Duration::ZERO;
    // Answers that are still to come, with their response times.
    let mut answers = std::collections::VecDeque::new();
    let mut responses = Vec::new();
    let count = arrivals_per_s * seconds;
    for number in 0..count {
        let now = Duration::from_secs_f64(number as f64 / arrivals_per_s as f64);
        while let Some(&(at, response)) = answers.front() {
            if at > now {
                break;
            }
            answers.pop_front();
            admission.observe(at, response);
        }
        if admission.admits(now) {
            free_at = free_at.max(now) + service;
            answers.push_back((free_at, free_at - now));
            if number > count / 2 {
                responses.push(free_at - now);
            }
        }
    }
    responses.sort();
    (responses.len() as u64, responses[responses.len() * 9 / 10])
}

#[test]
fn admission_holds_the_target_at_twice_the_capacity() {
    let (service, target) = (2 * MS, 100 * MS);
    // Soon, too, and where ten come for one that can be served.
    for (arrivals_per_s, seconds) in [(1000, 60), (1000, 12), (5000, 30)] {
        let (admitted, p90) = overloaded(Admit::Within(target), arrivals_per_s, service, seconds);
        let capacity = 500 * seconds / 2;
        assert!(p90 <= target * 12 / 10, "{arrivals_per_s}/s: {p90:?}");
        assert!(
            admitted * 10 >= capacity * 9,
            "{arrivals_per_s}/s: {admitted} of {capacity}"
        );
    }
    let seconds = 60;
    // Without it the queue grows for as long as the load lasts.
    let (_, p90) = overloaded(Admit::All, 1000, service, seconds);
    assert!(p90 > Duration::from_secs(20), "{p90:?}");
}

#[test]
fn admission_refuses_nobody_while_there_is_room() {
    let mut admission = Admission::new(Admit::Within(100 * MS));
    for number in 0..100_000 {
        let now = number * MS;
        assert!(admission.admits(now), "at {now:?}");
        admission.observe(now, 5 * MS);
    }
}
