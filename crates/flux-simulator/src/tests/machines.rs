//! What runtimes differ in, and what they do not.

use std::time::Duration;

use proptest::prelude::*;
use stats::queueing::Mm1;

use super::{ONE, compiled, near, simulated, simulated_of, used};
use crate::model::{Model, Runtime, Settings};
use crate::run::{Load, Run, run};
use crate::times::ServiceTimes;

const RUNTIMES: [Runtime; 3] = [Runtime::Thread, Runtime::Pool, Runtime::Event];

/// A node that may wait, one that never does, a way around both, readers and a writer.
const PAGE: &str = "
    typedef kept IsKept;
    source Listen => Page;
    Page = Parse -> Find -> Send;
    Find:[kept] = ;
    Find:[_] = Read -> Keep;
    blocking Read;
    Listen () => (int id);
    Parse (int id) => (int id);
    Read (int id) => (int id);
    Keep (int id) => (int id);
    Send (int id) => ();
    handle error Read => Excuse;
    Excuse (int id) => ();
    atomic Parse:{shelf?};
    atomic Keep:{shelf};
";

fn settings(runtime: Runtime) -> Settings {
    Settings {
        runtime,
        node_time: Some(Duration::from_millis(1)),
        service_times: ServiceTimes::Exponential,
        ..Settings::default()
    }
}

#[test]
fn a_loop_is_one_thread_however_many_processors_there_are() {
    let many = Settings {
        processors: 16,
        ..settings(Runtime::Event)
    };
    let theory = Mm1::new(700.0, 1000.0).unwrap();
    let found = simulated(ONE, &many, Load::Poisson(700.0));
    near(found.response_s.mean, theory.mean_response(), 0.03);
    near(used(&found, "loop"), 0.7, 0.01);
    assert_eq!(found.bottleneck, "loop");
    let threads = Settings {
        processors: 16,
        ..settings(Runtime::Thread)
    };
    let found = simulated(ONE, &threads, Load::Poisson(700.0));
    near(found.response_s.mean, 1e-3, 0.02);
}

/// What a flow asks of a station is the same whoever runs it: utilisation is throughput times demand.
#[test]
fn stations_are_used_as_flows_ask_for_them() {
    for runtime in RUNTIMES {
        let two = Settings {
            processors: 2,
            disk_nodes: vec!["Read".into()],
            disk_width: 2,
            ..settings(runtime)
        };
        let model = Model::new(&compiled(PAGE), None, &two).unwrap();
        let found = run(&model, Load::Poisson(400.0), Run::default());
        near(found.throughput_per_s, 400.0, 0.01);
        for demand in model.demands(1) {
            // A lock is held while its holder waits for a processor, and a loop while it waits for one.
            if ["processors", "disk"].contains(&demand.station.as_str()) {
                let expected = found.throughput_per_s * demand.each_ns / 1e9 / demand.servers;
                near(used(&found, &demand.station), expected, 0.01);
            }
        }
        // Parse, Send, and every other time Keep; Read at the disk.
        let demands = model.demands(1);
        assert_eq!((demands[0].each_ns, demands[1].each_ns), (2.5e6, 0.5e6));
    }
}

#[test]
fn ways_are_as_likely_as_they_were_observed_to_be() {
    // Of a hundred, eighty are kept, fifteen are read and five cannot be.
    let paths = compiled(PAGE).paths;
    assert_eq!(paths.count(), 3);
    let mut profile =
        "flux-profile 1 paths 3 places 8 timed 1/32\npath 0 80\npath 1 15\npath 2 5\n".to_owned();
    // Places: two constraints to be taken, a fork, five nodes.
    for place in 0..8 {
        profile += &format!("place {place} 1 1000000 917504:1\n");
    }
    let observed = Settings {
        runtime: Runtime::Thread,
        ..Settings::default()
    };
    let compiled = compiled(PAGE);
    let read = flux::profile::Profile::parse(&profile, &compiled).unwrap();
    let model = Model::new(&compiled, Some(&read), &observed).unwrap();
    // Parse; Read for 20 of a hundred; Keep for 15; Send for 95; Excuse for 5.
    let demand = &model.demands(1)[0];
    near(demand.each_ns, 1e6 * (1.0 + 0.2 + 0.15 + 0.95 + 0.05), 1e-9);
    let lock = model
        .demands(1)
        .into_iter()
        .find(|one| one.station == "lock shelf");
    near(lock.unwrap().each_ns, 0.15e6, 1e-9);
    let found = simulated_of(PAGE, Some(&profile), &observed, Load::Poisson(200.0));
    near(used(&found, "processors"), 200.0 * 2.35e-3, 0.01);
}

/// What the processors did outside of nodes is the source's; of the loop, where the loop asks it.
#[test]
fn time_outside_of_nodes_is_the_sources() {
    let profile = |places: u64| {
        format!(
            "flux-profile 1 paths 1 places {places} timed 1/32\nprocessor 3000000000\npath 0 1000\nplace {} 1000 1000000000 917504:1000\n",
            places - 1
        )
    };
    let cases = [
        (Runtime::Pool, 1, "source Arrive", 0.4),
        (Runtime::Event, 2, "source Arrive", 0.4),
        (Runtime::Event, 1, "loop", 0.6),
    ];
    for (runtime, places, station, own) in cases {
        let observed = Settings {
            runtime,
            processors: 16,
            ..Settings::default()
        };
        let load = Load::Poisson(200.0);
        let found = simulated_of(ONE, Some(&profile(places)), &observed, load);
        near(used(&found, "processors"), 0.6 / 16.0, 0.01);
        near(used(&found, station), own, 0.01);
    }
}

/// Flows that come to nothing come besides: a tenth of them, where a rate is of requests.
#[test]
fn rates_are_of_requests_where_some_flows_are_none() {
    let text = "
        source Listen => Page;
        Page = Read -> Answer;
        Listen () => (int id);
        Read (int id) => (int id);
        Answer (int id) => ();
        handle error Read => Nothing;
        Nothing (int id) => ();
    ";
    let profile = "flux-profile 1 paths 2 places 3 timed 1/32
path 0 900
path 1 100
place 0 1 1000000 917504:1
place 1 1 1000000 917504:1
place 2 1 1000000 917504:1
";
    let settings = Settings {
        runtime: Runtime::Thread,
        request: Some("Answer".into()),
        ..Settings::default()
    };
    let found = simulated_of(text, Some(profile), &settings, Load::Poisson(270.0));
    near(found.throughput_per_s, 270.0, 0.01);
    near(used(&found, "processors"), 300.0 * 2e-3, 0.01);
    let read = flux::profile::Profile::parse(profile, &compiled(text)).unwrap();
    let model = Model::new(&compiled(text), Some(&read), &settings).unwrap();
    near(model.capacity_per_s(1), 450.0, 1e-9);
}

#[test]
fn more_than_it_can_do_is_told() {
    for runtime in RUNTIMES {
        let found = simulated(ONE, &settings(runtime), Load::Poisson(2000.0));
        assert!(found.is_saturated, "{found:?}");
        near(found.throughput_per_s, 1000.0, 0.02);
        assert_eq!(found.bottleneck, "processors");
    }
}

#[test]
fn the_same_seed_has_the_same_outcome() {
    let model = Model::new(&compiled(PAGE), None, &settings(Runtime::Event)).unwrap();
    let of = |seed| {
        let how = Run {
            flows: 5000,
            seed,
            ..Run::default()
        };
        run(&model, Load::Poisson(200.0), how)
    };
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever is scarce and however many come: all that begin end, none is lost in a queue, and nothing is used more than there is of it.
    #[test]
    fn every_flow_ends(
        runtime in prop::sample::select(RUNTIMES.to_vec()),
        threads in 1..5_u32,
        processors in 1..5_u32,
        slice_us in prop::sample::select(vec![0_u64, 100, 1_000_000]),
        clients in 1..40_u32,
        is_at_disk: bool,
    ) {
        let settings = Settings {
            threads,
            processors,
            slice: Duration::from_micros(slice_us),
            disk_nodes: if is_at_disk { vec!["Read".into()] } else { Vec::new() },
            ..settings(runtime)
        };
        let model = Model::new(&compiled(PAGE), None, &settings).unwrap();
        let how = Run { flows: 2000, warm_up: 100, ..Run::default() };
        let found = run(&model, Load::Closed(clients, Duration::ZERO), how);
        prop_assert_eq!(found.flows, 2000);
        for station in &found.stations {
            prop_assert!((0.0..=1.0 + 1e-9).contains(&station.utilisation), "{:?}", found);
        }
        // Little's law, of a closed loop without thinking.
        let under_way = found.throughput_per_s * found.response_s.mean;
        prop_assert!((under_way / f64::from(clients) - 1.0).abs() < 0.1, "{under_way} for {clients}");
    }
}
