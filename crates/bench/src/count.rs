//! `count`: the names of all floors. `count NAME TIMES`: does one so often, for callgrind.

use std::process::ExitCode;

use bench::FLOORS;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(times)) = (arguments.next(), arguments.next()) else {
        for floor in FLOORS {
            println!("{}\t{}", floor.name, floor.what);
        }
        return ExitCode::SUCCESS;
    };
    let floor = FLOORS.iter().find(|floor| floor.name == name);
    let (Some(floor), Ok(times)) = (floor, times.parse::<u32>()) else {
        eprintln!(
            "count: '{name} {times}' is no floor and a number; 'count' alone lists the floors"
        );
        return ExitCode::from(2);
    };
    let mut step = (floor.prepare)();
    for _ in 0..times {
        step();
    }
    ExitCode::SUCCESS
}
