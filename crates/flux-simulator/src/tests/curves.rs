//! Load curves, and how they are drawn.

use std::time::Duration;

use super::{ONE, compiled};
use crate::chart::response_times;
use crate::curve::{Arrivals, Loads, curve};
use crate::measured::Measured;
use crate::model::Settings;
use crate::outcome::Curve;
use crate::run::Run;
use crate::times::ServiceTimes;

fn curve_of(processors: u32, loads: &Loads) -> Curve {
    let settings = Settings {
        processors,
        runtime: crate::Runtime::Pool,
        node_time: Some(Duration::from_millis(1)),
        service_times: ServiceTimes::Exponential,
        ..Settings::default()
    };
    let how = Run {
        flows: 5000,
        warm_up: 500,
        ..Run::default()
    };
    curve(&compiled(ONE), None, &settings, loads, how).unwrap()
}

#[test]
fn a_curve_goes_to_what_the_machine_can_do() {
    for processors in [1, 4] {
        let curve = curve_of(processors, &Loads::ToCapacity(Arrivals::Poisson));
        assert_eq!(curve.capacity_per_s, 1000.0 * f64::from(processors));
        let offered = |place: usize| curve.outcomes[place].offered_per_s.unwrap();
        let (first, last) = (offered(0), offered(9));
        assert_eq!(
            (first, last),
            (0.1 * curve.capacity_per_s, 0.95 * curve.capacity_per_s)
        );
        let mean = |place: usize| curve.outcomes[place].response_s.mean;
        assert!(mean(9) > 2.0 * mean(0));
    }
}

#[test]
fn what_is_simulated_says_so_wherever_it_is_drawn() {
    let rates = Loads::Rates(Arrivals::Poisson, vec![100.0, 500.0, 2000.0]);
    let curves = [curve_of(1, &rates), curve_of(16, &rates)];
    let measured = [Measured {
        offered_per_s: 100.0,
        arrivals: Arrivals::Poisson,
        throughput_per_s: 100.0,
        mean_s: 1e-3,
        p99_s: 5e-3,
        known_to: (None, None),
    }];
    let svg = response_times("server.flux", &curves, &measured).unwrap();
    roxmltree::Document::parse(&svg).unwrap();
    for part in [
        "server.flux: response time, simulated on 1 processor, 16 processors",
        "mean, 1 processor (simulated)",
        "p99, 16 processors (simulated)",
        "mean (measured)",
        "simulated, saturated",
    ] {
        assert!(svg.contains(part), "{part}\n{svg}");
    }
    // Each line of the simulation is dashed, and nothing that was measured is dashed so.
    let is_line = |line: &&str| line.contains("class=\"series") && line.contains("\"30 30\"");
    assert_eq!(svg.lines().filter(is_line).count(), 4, "{svg}");
    let clients = Loads::Clients(vec![1, 4], Duration::from_millis(1));
    let svg = response_times("server.flux", &[curve_of(1, &clients)], &[]).unwrap();
    assert!(svg.contains("Clients") && !svg.contains("(measured)"));
}
