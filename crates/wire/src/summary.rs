//! What came out of a capture, as figures.

use std::time::Duration;

use contracts::wire::{Captured, SCHEMA, Summary, Traffic};
use contracts::{Distribution, Line, Unknown, Validity};
use hdrhistogram::Histogram;
use sys::packet_ring::Statistics;

use crate::connection::{Exchange, Matched};
use crate::matcher::{Counts, Direction};

/// What takes longer counts as an hour.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// The times of exchanges, as they complete.
#[derive(Debug, Clone)]
pub struct Tally {
    warm_up: Duration,
    begins: Option<Duration>,
    requests: u64,
    by_bytes_and_time: u64,
    pipelined: u64,
    handshake: Histogram<u64>,
    request: Histogram<u64>,
    first_byte: Histogram<u64>,
    last_byte: Histogram<u64>,
}

impl Tally {
    /// Times of exchanges that begin within `warm_up` of the first packet do not count.
    pub fn new(warm_up: Duration) -> Self {
        let histogram = || {
            Histogram::new_with_bounds(1, LONGEST_NS, 3)
                .expect("an hour in nanoseconds, to three digits")
        };
        Self {
            warm_up,
            begins: None,
            requests: 0,
            by_bytes_and_time: 0,
            pipelined: 0,
            handshake: histogram(),
            request: histogram(),
            first_byte: histogram(),
            last_byte: histogram(),
        }
    }

    /// A packet was seen.
    pub fn see(&mut self, at: Duration) {
        self.begins.get_or_insert(at);
    }

    /// A SYN was answered at `at`, after `took`.
    pub fn shake(&mut self, at: Duration, took: Duration) {
        if self.counts(at) {
            record(&mut self.handshake, took);
        }
    }

    /// An exchange is complete.
    pub fn add(&mut self, exchange: &Exchange) {
        match exchange.matched {
            Matched::Http => self.requests += 1,
            Matched::BytesAndTime => self.by_bytes_and_time += 1,
        }
        self.pipelined += u64::from(exchange.pipelined);
        if !self.counts(exchange.request_first) {
            return;
        }
        // An answer may begin before its request has ended.
        let from = exchange.request_last;
        record(
            &mut self.request,
            from.saturating_sub(exchange.request_first),
        );
        record(
            &mut self.first_byte,
            exchange.answer_first.saturating_sub(from),
        );
        record(
            &mut self.last_byte,
            exchange.answer_last.saturating_sub(from),
        );
    }

    fn counts(&self, at: Duration) -> bool {
        self.begins
            .is_some_and(|begins| at.saturating_sub(begins) >= self.warm_up)
    }
}

/// What is known of a capture beside the exchanges.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Where it was captured.
    pub interface: &'a str,
    /// How packets were seen.
    pub view: &'static str,
    /// The server's.
    pub port: u16,
    /// What became of packets.
    pub statistics: Statistics,
    /// Packets that the file had no room for.
    pub left_out_of_file: u64,
    /// Processor time of the capturing process.
    pub cpu: Duration,
}

/// What is said of all that was counted.
pub fn summary(tally: &Tally, counts: &Counts, around: &Circumstances<'_>) -> Summary {
    let exchanges = tally.requests + tally.by_bytes_and_time;
    let Statistics { packets, dropped } = around.statistics;
    Summary {
        event: Summary::EVENT.into(),
        schema: Some(SCHEMA.into()),
        verdict: Some(match dropped {
            0 => Validity::Valid,
            _ => Validity::Suspect,
        }),
        notes: notes(tally, counts, around),
        interface: Some(around.interface.into()),
        view: Some(around.view.into()),
        port: Some(around.port),
        requests: Some(tally.requests),
        by_bytes_and_time: Some(tally.by_bytes_and_time),
        pipelined: Some(tally.pipelined),
        unanswered: Some(counts.unanswered),
        unasked: Some(counts.unasked),
        connections: Some(counts.connections),
        resets: Some(counts.resets),
        handshake_us: Some(distribution(&tally.handshake)),
        request_us: Some(distribution(&tally.request)),
        first_byte_us: Some(distribution(&tally.first_byte)),
        last_byte_us: Some(distribution(&tally.last_byte)),
        to_server: Some(traffic(&counts.to_server, exchanges)),
        to_client: Some(traffic(&counts.to_client, exchanges)),
        largest_frame_bytes: Some(counts.largest_frame_bytes.into()),
        captured: Some(Captured {
            packets: Some(packets),
            dropped: Some(dropped),
            left_out_of_file: Some(around.left_out_of_file),
            cpu_s: Some(around.cpu.as_secs_f64()),
            unknown: Unknown::new(),
        }),
        unknown: Unknown::new(),
    }
}

fn notes(tally: &Tally, counts: &Counts, around: &Circumstances<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let Statistics { packets, dropped } = around.statistics;
    if dropped > 0 {
        notes.push(format!(
            "{dropped} of {packets} packets found the ring full: a larger --ring, or fewer packets, would do"
        ));
    }
    if tally.by_bytes_and_time > 0 {
        notes.push(format!(
            "{} exchanges were matched by bytes and time alone (encrypted, multiplexed, chunked or cut short): several requests at once \
             count as one",
            tally.by_bytes_and_time
        ));
    }
    if around.left_out_of_file > 0 {
        notes.push(format!(
            "the file had no room for {} packets",
            around.left_out_of_file
        ));
    }
    let giant = counts.to_server.giant + counts.to_client.giant;
    if giant > 0 {
        notes.push(format!(
            "{giant} packets are larger than a frame of Ethernet: segmentation offload made one of several"
        ));
    }
    notes
}

fn record(times: &mut Histogram<u64>, time: Duration) {
    times.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}

/// In microseconds; of no times nothing is known.
fn distribution(times: &Histogram<u64>) -> Distribution {
    let count = Some(times.len());
    if times.is_empty() {
        return Distribution {
            count,
            ..Distribution::default()
        };
    }
    let microseconds = |nanoseconds: f64| Some(nanoseconds / 1e3);
    let at = |quantile: f64| microseconds(times.value_at_quantile(quantile) as f64);
    Distribution {
        mean: microseconds(times.mean()),
        min: microseconds(times.min() as f64),
        max: microseconds(times.max() as f64),
        p50: at(0.5),
        p75: at(0.75),
        p90: at(0.9),
        p99: at(0.99),
        p99_9: at(0.999),
        p99_99: at(0.9999),
        count,
        ..Distribution::default()
    }
}

fn traffic(direction: &Direction, exchanges: u64) -> Traffic {
    let each = |all: u64| (exchanges > 0).then(|| all as f64 / exchanges as f64);
    Traffic {
        packets: Some(direction.packets),
        bytes: Some(direction.bytes),
        payload_bytes: Some(direction.payload_bytes),
        retransmissions: Some(direction.retransmissions),
        giant: Some(direction.giant),
        packets_per_request: each(direction.packets),
        bytes_per_request: each(direction.bytes),
        unknown: Unknown::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn exchange(begins: Duration, takes: Duration, matched: Matched) -> Exchange {
        Exchange {
            opened: None,
            request_first: begins,
            request_last: begins + MS,
            answer_first: begins + MS + takes,
            answer_last: begins + MS + 2 * takes,
            matched,
            pipelined: false,
        }
    }

    fn told(tally: &Tally, dropped: u64) -> Summary {
        let around = Circumstances {
            interface: "lo",
            view: "raw",
            port: 80,
            statistics: Statistics {
                packets: 10,
                dropped,
            },
            left_out_of_file: 0,
            cpu: Duration::ZERO,
        };
        let to_server = Direction {
            packets: 6,
            bytes: 600,
            ..Direction::default()
        };
        let counts = Counts {
            to_server,
            ..Counts::default()
        };
        summary(tally, &counts, &around)
    }

    #[test]
    fn times_are_those_after_the_warm_up_and_traffic_is_for_each_exchange() {
        let mut tally = Tally::new(10 * MS);
        tally.see(100 * MS);
        tally.add(&exchange(105 * MS, 50 * MS, Matched::Http));
        tally.shake(105 * MS, MS);
        tally.add(&exchange(110 * MS, 2 * MS, Matched::Http));
        tally.add(&exchange(120 * MS, 4 * MS, Matched::BytesAndTime));
        tally.shake(120 * MS, MS);
        let summary = told(&tally, 0);
        assert_eq!(
            (summary.requests, summary.by_bytes_and_time),
            (Some(2), Some(1))
        );
        let near = |found: Option<f64>, expected: f64| {
            let found = found.unwrap();
            assert!((found / expected - 1.0).abs() < 0.001, "{found}");
        };
        let first_byte = summary.first_byte_us.unwrap();
        assert_eq!(first_byte.count, Some(2));
        near(first_byte.mean, 3000.0);
        near(summary.last_byte_us.unwrap().max, 8000.0);
        near(summary.request_us.unwrap().p50, 1000.0);
        assert_eq!(summary.handshake_us.unwrap().count, Some(1));
        let traffic = summary.to_server.unwrap();
        near(traffic.packets_per_request, 2.0);
        near(traffic.bytes_per_request, 200.0);
        assert_eq!(summary.verdict, Some(Validity::Valid));
        assert!(
            summary
                .notes
                .iter()
                .any(|note| note.contains("bytes and time alone"))
        );
    }

    #[test]
    fn a_trace_with_drops_is_suspect_and_says_so_in_its_line() {
        let summary = told(&Tally::new(Duration::ZERO), 3);
        assert_eq!(summary.verdict, Some(Validity::Suspect));
        assert!(summary.notes[0].starts_with("3 of 10 packets found the ring full"));
        assert_eq!(summary.first_byte_us.as_ref().unwrap().p50, None);
        let line = summary.line().unwrap();
        assert!(line.contains(r#""verdict":"SUSPECT""#), "{line}");
        assert_eq!(Summary::parse(&line).unwrap(), summary);
    }
}
