//! `staging`: what it costs that a request passes through stages.
//!
//! The fewer connections there are, the more often a thread falls asleep and has to be woken, and the fewer sessions each wake-up brings;
//! so over a sweep of connections the difference between the two servers is
//!
//! ```text
//! difference = hand-overs + wake-up · (wake-ups of seda − wake-ups of amped)
//! ```
//!
//! with wake-ups counted as voluntary context switches for each request. The line is fitted by least squares, each point weighted by
//! the inverse of its difference: its slope is what a wake-up costs, with the switch that it leads to, and where it crosses the axis what
//! the hand-overs cost: queues and their locks, clocks, the session's way out of the table and back. Bytes that are copied between
//! stages: none, for a request goes with its buffers.

use std::fmt::Write;

use lab::Failure;
use lab::table::Table;
use stats::line::{Line, Point};
use stats::sample::median;

use crate::client::Wrk;
use crate::programs;
use crate::rounds::turns;
use crate::server::Server;
use crate::testbed::{Cores, Testbed};

/// Over how many connections they are asked.
const CONNECTIONS: [u64; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/// The number of connections that is spelled out.
const EXAMPLE: u64 = 64;

/// Measure what staging costs: SEDA's processor time for each request over AMPED's, split into hand-overs and wake-ups
///
/// Keep-alive connections ask for 1 KB that is in memory, over a sweep of connections. The client is wrk.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// In how many rounds both take turns
    #[arg(value_name = "ROUNDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
    /// How long each is asked over each number of connections
    #[arg(value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Options of SEDA's
    #[arg(
        value_name = "SEDA OPTION",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    options: Vec<String>,
    #[command(flatten)]
    cores: Cores,
}

/// What a server took for each request over the rounds.
#[derive(Debug, Clone, Default, PartialEq)]
struct Taken {
    /// Processor time in µs.
    us: Vec<f64>,
    /// Threads that fell asleep.
    wake_ups: Vec<f64>,
}

/// The medians of both servers over one number of connections.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    connections: u64,
    amped_us: f64,
    seda_us: f64,
    amped_wake_ups: f64,
    seda_wake_ups: f64,
}

impl Row {
    fn of(connections: u64, [amped, seda]: &[Taken; 2]) -> Self {
        let middle = |values: &[f64]| median(&mut values.to_vec());
        Self {
            connections,
            amped_us: middle(&amped.us),
            seda_us: middle(&seda.us),
            amped_wake_ups: middle(&amped.wake_ups),
            seda_wake_ups: middle(&seda.wake_ups),
        }
    }

    fn difference_us(&self) -> f64 {
        self.seda_us - self.amped_us
    }

    fn more_wake_ups(&self) -> f64 {
        self.seda_wake_ups - self.amped_wake_ups
    }
}

/// Measures, and prints the table and what the fit makes of it.
///
/// # Errors
/// When a server or the client fails.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    let path = testbed.file(&"1k".parse()?)?;
    let archbench = programs::archbench()?;
    let seda = format!("seda {}", arguments.options.join(" "));
    let mut servers = Vec::new();
    for model in ["amped", &seda] {
        // A name that is looked up afresh would be a hand-over that no request needs.
        let model = format!("{model} --revalidate 1h");
        servers.push(Server::ours(&testbed, &archbench, &model, &testbed.root())?);
    }
    let mut taken = vec![[Taken::default(), Taken::default()]; CONNECTIONS.len()];
    for order in turns(2 * CONNECTIONS.len(), arguments.rounds as usize, 1) {
        for turn in order {
            let (which, who) = (turn / 2, turn % 2);
            let before = servers[who].account();
            let url = format!("{}{path}", servers[who].url);
            let wrk = Wrk::run(&testbed, CONNECTIONS[which], arguments.seconds, &url)?;
            let used = servers[who].account().since(before);
            let requests = wrk.requests as f64;
            let taken = &mut taken[which][who];
            taken
                .us
                .push(used.processor_time.as_secs_f64() * 1e6 / requests);
            taken
                .wake_ups
                .push(used.voluntary_switches as f64 / requests);
        }
    }
    let rows = CONNECTIONS.iter().zip(&taken);
    let rows: Vec<Row> = rows
        .map(|(connections, taken)| Row::of(*connections, taken))
        .collect();
    print!("{}{}", table(&rows), explained(&rows)?);
    Ok(0)
}

fn table(rows: &[Row]) -> Table {
    let heads = [
        "connections",
        "amped µs",
        "seda µs",
        "ratio",
        "amped wake-ups",
        "seda wake-ups",
    ];
    let mut table = Table::new(heads.map(str::to_owned));
    for row in rows {
        table.row(vec![
            row.connections.to_string(),
            format!("{:.2}", row.amped_us),
            format!("{:.2}", row.seda_us),
            format!("{:.2}", row.seda_us / row.amped_us),
            format!("{:.3}", row.amped_wake_ups),
            format!("{:.3}", row.seda_wake_ups),
        ]);
    }
    table
}

/// What the difference is made of, by the fit.
fn explained(rows: &[Row]) -> Result<String, Failure> {
    // A difference that is none is noise, and would weigh more than all others.
    let different = rows.iter().filter(|row| row.difference_us() > 0.0);
    let points: Vec<Point> = different
        .map(|row| Point {
            x: row.more_wake_ups(),
            y: row.difference_us(),
            weight: 1.0 / row.difference_us(),
        })
        .collect();
    let line = Line::fit(&points).map_err(|why| format!("no line can be fitted: {why}"))?;
    let mut text = String::new();
    for row in rows.iter().filter(|row| row.connections == EXAMPLE) {
        let (more, difference) = (row.more_wake_ups(), row.difference_us());
        writeln!(
            text,
            "at {EXAMPLE} connections seda takes {difference:.2} µs more than amped, {:.2} times as much; by the fit {:.2} ± {:.2} µs of it are \
             hand-overs,\n{:.2} µs are {more:.3} wake-ups at {:.2} ± {:.2} µs each, and copies none (± is the standard error; {:.2} µs are \
             beside the fit)",
            row.seda_us / row.amped_us,
            line.intercept,
            line.intercept_error,
            line.slope * more,
            line.slope,
            line.slope_error,
            difference - line.at(more),
        )?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if every hand-over took 1 µs and every wake-up 5 µs.
    fn rows() -> Vec<Row> {
        let row = |(connections, wake_ups): (u64, f64)| Row {
            connections,
            amped_us: 6.0,
            seda_us: 6.0 + 1.0 + 5.0 * wake_ups,
            amped_wake_ups: 0.1,
            seda_wake_ups: 0.1 + wake_ups,
        };
        [(1, 4.0), (8, 1.0), (64, 0.2)].map(row).to_vec()
    }

    #[test]
    fn a_difference_is_split_into_what_it_is_made_of() {
        let mut rows = rows();
        // One that is noise is left out.
        rows.push(Row {
            connections: 256,
            seda_us: 5.0,
            ..rows[2]
        });
        let text = explained(&rows).unwrap();
        let expected = "takes 2.00 µs more than amped, 1.33 times as much; by the fit 1.00 ± 0.00 µs of it are hand-overs,\n1.00 µs are \
            0.200 wake-ups at 5.00 ± 0.00 µs each";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn where_no_difference_is_seen_there_is_nothing_to_split() {
        let alike = |row: Row| Row {
            seda_us: row.amped_us,
            ..row
        };
        let rows: Vec<Row> = rows().into_iter().map(alike).collect();
        let error = explained(&rows).unwrap_err().to_string();
        assert!(error.contains("no line can be fitted"), "{error}");
    }

    #[test]
    fn a_row_holds_medians() {
        let taken = |us: [f64; 3], wake_ups: [f64; 3]| Taken {
            us: us.to_vec(),
            wake_ups: wake_ups.to_vec(),
        };
        let row = Row::of(
            8,
            &[
                taken([6.0, 7.0, 99.0], [0.1, 0.1, 0.3]),
                taken([12.0, 11.0, 13.0], [1.0, 0.9, 1.1]),
            ],
        );
        assert_eq!(
            (
                row.amped_us,
                row.seda_us,
                row.amped_wake_ups,
                row.seda_wake_ups
            ),
            (7.0, 12.0, 0.1, 1.0)
        );
        let text = table(&[row]).to_string();
        assert!(text.lines().nth(1).unwrap().contains("1.71"), "{text}");
    }
}
