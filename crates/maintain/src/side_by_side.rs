//! Servers side by side: everyone is asked for every size once a round, in an order that follows from the round.
//!
//! The median over the rounds is what one meets; the least of them is what compares best on a machine that others share, for
//! disturbances only add. So there is a ratio of each, to the best of the servers that are the reference.

use lab::Failure;
use lab::table::Table;
use stats::sample::median;
use stats::{Interval, compare};

use crate::client::Wrk;
use crate::rounds::turns;
use crate::server::Server;
use crate::testbed::{Size, Testbed};

/// Keep-alive connections of the client.
const CONNECTIONS: u64 = 64;
/// How sure the intervals are.
const LEVEL: f64 = 0.95;

/// A server that takes part.
#[derive(Debug)]
pub(crate) struct Contender {
    /// It runs.
    pub(crate) server: Server,
    /// The only size that it can serve, if it cannot serve all.
    pub(crate) only: Option<Size>,
    /// Whether the ratios are to it, if it is the best of those.
    pub(crate) is_reference: bool,
}

/// A contender and a size, over the rounds.
#[derive(Debug, Clone, Default, PartialEq)]
struct Cell {
    /// Processor time for each request, in µs.
    us: Vec<f64>,
    /// Requests per second.
    rate: Vec<f64>,
}

/// Measures them all, and prints the table.
///
/// # Errors
/// When a server or the client fails.
pub(crate) fn compare(
    testbed: &Testbed,
    contenders: &[Contender],
    sizes: &[Size],
    rounds: u64,
    seconds: u64,
) -> Result<(), Failure> {
    let paths: Result<Vec<String>, Failure> = sizes.iter().map(|size| testbed.file(size)).collect();
    let paths = paths?;
    let mut cells = vec![vec![Cell::default(); contenders.len()]; sizes.len()];
    for order in turns(sizes.len() * contenders.len(), rounds as usize, 1) {
        for turn in order {
            let (which, who) = (turn / contenders.len(), turn % contenders.len());
            let contender = &contenders[who];
            if contender
                .only
                .as_ref()
                .is_some_and(|only| *only != sizes[which])
            {
                continue;
            }
            let server = &contender.server;
            let before = server.account();
            let url = format!("{}{}", server.url, paths[which]);
            let wrk = Wrk::run(testbed, CONNECTIONS, seconds, &url)?;
            let used = server.account().since(before).processor_time;
            let cell = &mut cells[which][who];
            cell.us.push(used.as_secs_f64() * 1e6 / wrk.requests as f64);
            cell.rate.push(wrk.requests_per_s);
        }
    }
    let names: Vec<(&str, bool)> = contenders
        .iter()
        .map(|contender| (contender.server.name.as_str(), contender.is_reference))
        .collect();
    print!("{}", table(&names, sizes, &cells));
    Ok(())
}

/// A row for each size and contender; `contenders` are names, and whether each is a reference.
fn table(contenders: &[(&str, bool)], sizes: &[Size], cells: &[Vec<Cell>]) -> Table {
    let heads = [
        "server",
        "file",
        "cpu/request µs",
        "ratio",
        "95 % interval",
        "least",
        "ratio",
        "requests/s",
    ];
    let mut table = Table::new(heads.map(str::to_owned));
    for (size, cells) in sizes.iter().zip(cells) {
        let references = || {
            let all = contenders.iter().zip(cells);
            all.filter(|((_, is_reference), cell)| *is_reference && !cell.us.is_empty())
                .map(|(_, cell)| cell.us.as_slice())
        };
        let best = references().min_by(|one, other| middle(one).total_cmp(&middle(other)));
        let best_least = references().map(least).fold(f64::NAN, f64::min);
        for ((name, _), cell) in contenders.iter().zip(cells) {
            if cell.us.is_empty() {
                continue;
            }
            let low = least(&cell.us);
            let to_best = best.map_or(f64::NAN, |best| middle(&cell.us) / middle(best));
            let interval = best.and_then(|best| compare::paired(best, &cell.us, LEVEL).ok());
            table.row(vec![
                (*name).to_owned(),
                size.to_string(),
                format!("{:.2}", middle(&cell.us)),
                format!("{to_best:.2}"),
                interval.map_or("–".to_owned(), |found| range(&found.ratio)),
                format!("{low:.2}"),
                format!("{:.2}", low / best_least),
                format!("{:.0}", middle(&cell.rate)),
            ]);
        }
    }
    table
}

fn middle(values: &[f64]) -> f64 {
    median(&mut values.to_vec())
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::min)
}

/// Like `0.83–0.87`.
fn range(interval: &Interval) -> String {
    format!("{:.2}–{:.2}", interval.low, interval.high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(us: &[f64], rate: f64) -> Cell {
        Cell {
            us: us.to_vec(),
            rate: vec![rate; us.len()],
        }
    }

    #[test]
    fn ratios_are_to_the_best_reference() {
        let contenders = [
            ("slow", true),
            ("quick", true),
            ("ours", false),
            ("absent", true),
        ];
        let sizes = Size::all(&["1k"]).unwrap();
        let cells = [vec![
            cell(&[10.0, 10.5, 9.9], 90_000.0),
            cell(&[8.0, 9.0, 8.2], 120_000.0),
            cell(&[6.0, 6.8, 6.1], 130_000.4),
            Cell::default(),
        ]];
        let text = table(&contenders, &sizes, &cells).to_string();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows.len(), 3, "{text}");
        assert_eq!(rows[0][..4], ["slow", "1k", "10.00", "1.22"]);
        assert_eq!(
            rows[1],
            [
                "quick",
                "1k",
                "8.20",
                "1.00",
                "1.00–1.00",
                "8.00",
                "1.00",
                "120000"
            ]
        );
        assert_eq!(
            rows[2],
            [
                "ours",
                "1k",
                "6.10",
                "0.74",
                "0.74–0.76",
                "6.00",
                "0.75",
                "130000"
            ]
        );
    }

    #[test]
    fn one_round_has_no_interval() {
        let sizes = Size::all(&["1k"]).unwrap();
        let cells = [vec![cell(&[8.0], 1.0)]];
        let text = table(&[("only", true)], &sizes, &cells).to_string();
        assert!(text.lines().nth(1).unwrap().contains('–'), "{text}");
    }
}
