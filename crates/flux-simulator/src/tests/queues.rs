//! Closed forms: what queueing theory says must come out.

use std::time::Duration;

use stats::queueing::{Mg1, Mm1, Mmc};

use super::{ONE, near, simulated, simulated_of, used};
use crate::model::{Runtime, Settings};
use crate::run::Load;
use crate::times::ServiceTimes;

const MS: Duration = Duration::from_millis(1);

/// Nodes of a millisecond, first come, first served, by threads of which there is no want.
fn settings(service_times: ServiceTimes) -> Settings {
    Settings {
        runtime: Runtime::Thread,
        slice: Duration::from_secs(3600),
        node_time: Some(MS),
        service_times,
        ..Settings::default()
    }
}

fn exponential() -> Settings {
    settings(ServiceTimes::Exponential)
}

#[test]
fn one_processor_is_mm1() {
    let found = simulated(ONE, &exponential(), Load::Poisson(700.0));
    let theory = Mm1::new(700.0, 1000.0).unwrap();
    near(found.response_s.mean, theory.mean_response(), 0.03);
    near(found.response_s.p50, theory.response_quantile(0.5), 0.03);
    near(found.response_s.p99, theory.response_quantile(0.99), 0.04);
    near(found.throughput_per_s, 700.0, 0.01);
    near(used(&found, "processors"), 0.7, 0.01);
    assert!(!found.is_saturated && found.bottleneck == "processors");
}

#[test]
fn four_processors_are_mm4() {
    let four = Settings {
        processors: 4,
        ..exponential()
    };
    let found = simulated(ONE, &four, Load::Poisson(3200.0));
    let theory = Mmc::new(3200.0, 1000.0, 4).unwrap();
    near(found.response_s.mean, theory.mean_wait() + 1e-3, 0.03);
    near(used(&found, "processors"), 0.8, 0.01);
}

/// The same queue, whether the threads of a pool are scarce, or the helpers of a loop, or its disk's arms.
#[test]
fn whatever_is_scarce_is_mmc() {
    let theory = Mmc::new(3200.0, 1000.0, 4).unwrap();
    let waiting = format!("{ONE} blocking Serve;");
    let of = |runtime, threads, disk: &[&str]| Settings {
        runtime,
        threads,
        processors: 64,
        disk_nodes: disk.iter().map(ToString::to_string).collect(),
        disk_width: 4,
        ..exponential()
    };
    let cases = [
        ("pool", of(Runtime::Pool, 4, &[])),
        ("helpers", of(Runtime::Event, 4, &[])),
        ("disk", of(Runtime::Thread, 1, &["Serve"])),
        ("disk", of(Runtime::Event, 64, &["Serve"])),
    ];
    for (scarce, settings) in cases {
        let found = simulated(&waiting, &settings, Load::Poisson(3200.0));
        near(found.response_s.mean, theory.mean_wait() + 1e-3, 0.03);
        near(used(&found, scarce), 0.8, 0.01);
        assert_eq!(found.bottleneck, scarce);
    }
}

#[test]
fn constant_times_are_md1() {
    let found = simulated(ONE, &settings(ServiceTimes::Constant), Load::Poisson(700.0));
    let theory = Mg1::constant(700.0, 1e-3).unwrap();
    near(found.response_s.mean, theory.mean_response(), 0.02);
    // Evenly spaced, nobody waits at all.
    let spaced = simulated(
        ONE,
        &settings(ServiceTimes::Constant),
        Load::Constant(900.0),
    );
    near(spaced.response_s.mean, 1e-3, 1e-6);
}

/// Nine in ten take about 114 µs, one takes 9.1 ms: in all, 1,000 flows and a second.
const UNLIKE: &str = "flux-profile 1 paths 1 places 1 timed 1/32
path 0 1000
place 0 1000 1000000000 114688:900 8388608:100
";

#[test]
fn observed_times_have_their_mean_and_their_spread() {
    let settings = Settings {
        node_time: None,
        ..settings(ServiceTimes::Observed)
    };
    let found = simulated_of(ONE, Some(UNLIKE), &settings, Load::Poisson(500.0));
    near(used(&found, "processors"), 0.5, 0.02);
    // Classes as they are read, scaled to the mean that was observed; in each, times are alike.
    let classes = [(114_688.0, 16_384.0, 0.9), (8_388_608.0, 2_097_152.0, 0.1)];
    let mean: f64 = classes.iter().map(|(a, w, p)| p * (a + w / 2.0)).sum();
    let scale = 1e-3 / mean;
    let second: f64 = classes
        .iter()
        .map(|(a, w, p)| p * (a * a + a * w + w * w / 3.0))
        .sum();
    let theory = Mg1::new(500.0, 1e-3, second * scale * scale).unwrap();
    near(found.response_s.mean, theory.mean_response(), 0.05);
}

/// Processor sharing does not mind how unlike times are: M/G/1-PS (Kleinrock II, section 4.4).
#[test]
fn shared_processors_do_not_mind_the_spread() {
    let shared = |service_times| Settings {
        slice: Duration::ZERO,
        ..settings(service_times)
    };
    let load = Load::Poisson(500.0);
    let found = [
        simulated(ONE, &shared(ServiceTimes::Constant), load),
        simulated(ONE, &shared(ServiceTimes::Exponential), load),
        simulated_of(ONE, Some(UNLIKE), &shared(ServiceTimes::Observed), load),
    ];
    for found in found {
        near(found.response_s.mean, 2e-3, 0.03);
    }
    // Many processors: nobody runs on more than one, M/M/c-PS has the mean of M/M/c.
    let four = Settings {
        processors: 4,
        ..shared(ServiceTimes::Exponential)
    };
    let theory = Mmc::new(3200.0, 1000.0, 4).unwrap();
    let found = simulated(ONE, &four, Load::Poisson(3200.0));
    near(found.response_s.mean, theory.mean_wait() + 1e-3, 0.03);
}

#[test]
fn short_slices_come_to_shares() {
    let slices = Settings {
        slice: MS / 20,
        ..settings(ServiceTimes::Constant)
    };
    let found = simulated(ONE, &slices, Load::Poisson(500.0));
    near(found.response_s.mean, 2e-3, 0.03);
}

/// Clients, a processor and a disk: a closed network, by mean value analysis (Reiser and Lavenberg, JACM 27, 1980).
#[test]
fn a_closed_network_is_as_its_mean_values() {
    let text = "
        source Arrive => Page;
        Page = Compute -> Read;
        Arrive () => (int id);
        Compute (int id) => (int id);
        Read (int id) => ();
    ";
    let settings = Settings {
        disk_nodes: vec!["Read".into()],
        ..exponential()
    };
    let think = 5e-3;
    for clients in [1, 5, 20] {
        let mut queues = [0.0, 0.0];
        let (mut throughput, mut response) = (0.0, 0.0);
        for population in 1..=clients {
            let times = queues.map(|queue| 1e-3 * (1.0 + queue));
            response = times.iter().sum();
            throughput = f64::from(population) / (think + response);
            queues = times.map(|time| throughput * time);
        }
        let load = Load::Closed(clients, Duration::from_secs_f64(think));
        let found = simulated(text, &settings, load);
        near(found.throughput_per_s, throughput, 0.02);
        near(found.response_s.mean, response, 0.02);
        near(used(&found, "disk"), throughput * 1e-3, 0.02);
    }
}

#[test]
fn a_writers_lock_is_mm1_where_processors_are_not_scarce() {
    let locked = format!("{ONE} atomic Serve:{{book}};");
    let many = Settings {
        processors: 256,
        ..exponential()
    };
    let theory = Mm1::new(700.0, 1000.0).unwrap();
    let found = simulated(&locked, &many, Load::Poisson(700.0));
    near(found.response_s.mean, theory.mean_response(), 0.03);
    near(used(&found, "lock book"), 0.7, 0.01);
    assert_eq!(found.bottleneck, "lock book");
    // Readers do not keep each other out: each is as alone.
    let read = format!("{ONE} atomic Serve:{{book?}};");
    let found = simulated(&read, &many, Load::Poisson(700.0));
    near(found.response_s.mean, 1e-3, 0.02);
}

/// Each session has its own lock, and a share of the flows.
#[test]
fn a_sessions_lock_keeps_out_its_own_flows_only() {
    let text = "
        source Arrive {session: Of} => Serve;
        Arrive () => (int id);
        Serve (int id) => ();
        atomic Serve:{seat(session)};
    ";
    let settings = Settings {
        processors: 1000,
        sessions: Some(10),
        ..exponential()
    };
    let theory = Mm1::new(600.0, 1000.0).unwrap();
    let found = simulated(text, &settings, Load::Poisson(6000.0));
    near(found.response_s.mean, theory.mean_response(), 0.03);
    near(used(&found, "lock seat"), 0.6, 0.01);
}
