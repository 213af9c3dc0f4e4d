//! What an event of the simulator costs: criterion tells events a second for each runtime and discipline of the processors.

#![allow(missing_docs, reason = "what the macros make has none")]

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flux_simulator::{Load, Model, Run, Runtime, ServiceTimes, Settings, run};

/// A fork, a node that may wait, a constraint.
const PROGRAM: &str = "
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
    atomic Keep:{shelf};
";

fn simulator(criterion: &mut Criterion) {
    let compiled = flux::check(PROGRAM)
        .compiled
        .expect("the program above is one");
    let mut group = criterion.benchmark_group("simulator");
    for (name, runtime, slice) in [
        ("event loop, slices", Runtime::Event, 3),
        ("pool, slices", Runtime::Pool, 3),
        ("thread for each flow, shared", Runtime::Thread, 0),
    ] {
        let settings = Settings {
            runtime,
            processors: 4,
            slice: Duration::from_millis(slice),
            node_time: Some(Duration::from_millis(1)),
            service_times: ServiceTimes::Exponential,
            ..Settings::default()
        };
        let model = Model::new(&compiled, None, &settings).expect("all times are said");
        let how = Run {
            flows: 20_000,
            warm_up: 0,
            ..Run::default()
        };
        let load = Load::Poisson(0.8 * model.capacity_per_s(1));
        group.throughput(Throughput::Elements(run(&model, load, how).events));
        group.bench_function(name, |bencher| bencher.iter(|| run(&model, load, how)));
    }
    group.finish();
}

criterion_group!(benches, simulator);
criterion_main!(benches);
