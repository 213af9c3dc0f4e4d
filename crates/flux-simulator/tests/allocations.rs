//! Events cost no allocation: ten times as many flows take as many allocations.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::time::Duration;

use flux_simulator::{Load, Model, Run, Runtime, ServiceTimes, Settings, run};

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

const PROGRAM: &str = "
    source Listen => Page;
    Page = Parse -> Keep -> Send;
    blocking Keep;
    Listen () => (int id);
    Parse (int id) => (int id);
    Keep (int id) => (int id);
    Send (int id) => ();
    atomic Keep:{shelf};
";

#[test]
fn events_cost_no_allocation() {
    let compiled = flux::check(PROGRAM).compiled.unwrap();
    for runtime in [Runtime::Thread, Runtime::Pool, Runtime::Event] {
        for slice in [0, 3] {
            let settings = Settings {
                runtime,
                slice: Duration::from_millis(slice),
                node_time: Some(Duration::from_millis(1)),
                service_times: ServiceTimes::Exponential,
                ..Settings::default()
            };
            let model = Model::new(&compiled, None, &settings).unwrap();
            let allocations = |flows| {
                let before = sys::heap::allocations();
                let how = Run {
                    flows,
                    ..Run::default()
                };
                let outcome = run(&model, Load::Closed(50, Duration::ZERO), how);
                assert!(outcome.events > 3 * flows);
                sys::heap::allocations() - before
            };
            assert_eq!(allocations(5_000), allocations(50_000), "{runtime:?}");
        }
    }
}
