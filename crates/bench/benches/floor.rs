//! The time that each step of the ground floor takes: `cargo bench -p bench`, or with a name, like `cargo bench -p bench parse`.

use std::time::Duration;

use bench::FLOORS;
use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
        .configure_from_args();
    for floor in FLOORS {
        criterion.bench_function(floor.name, |bencher| bencher.iter((floor.prepare)()));
    }
    criterion.final_summary();
}
