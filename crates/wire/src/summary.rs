//! What came out of a capture, as figures.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use sys::packet_ring::Statistics;

use crate::connection::{Exchange, Matched};
use crate::matcher::{Counts, Direction};

/// The version of the JSON.
pub const SCHEMA: &str = "archbench.wire/1";

/// All of it; times are in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// `summary`, as of other commands.
    pub event: String,
    /// [`SCHEMA`].
    pub schema: String,
    /// Whether the trace is whole.
    pub verdict: Verdict,
    /// Why not, and what has to be known of the figures.
    pub notes: Vec<String>,
    /// Where it was captured.
    pub interface: String,
    /// `raw` or `datagram`.
    pub view: String,
    /// The server's.
    pub port: u16,
    /// Exchanges that were matched by the heads of HTTP/1.
    pub requests: u64,
    /// Exchanges that were matched by bytes and time alone.
    pub by_bytes_and_time: u64,
    /// Those that count in the times: not those that began in the warm-up.
    pub timed: u64,
    /// Requests that came before the answer to the one before had ended.
    pub pipelined: u64,
    /// Requests without an answer.
    pub unanswered: u64,
    /// Answers without a request.
    pub unasked: u64,
    /// Connections of which anything was seen.
    pub connections: u64,
    /// Connections that were reset.
    pub resets: u64,
    /// From a SYN to its answer.
    pub handshake_us: Times,
    /// From a request's first byte to its last.
    pub request_us: Times,
    /// From a request's last byte to the first of its answer.
    pub first_byte_us: Times,
    /// From a request's last byte to the last of its answer.
    pub last_byte_us: Times,
    /// From clients to the server.
    pub to_server: Traffic,
    /// From the server to clients.
    pub to_client: Traffic,
    /// The largest frame; beyond 1514 bytes segmentation offload has made one packet of several.
    pub largest_frame_bytes: u32,
    /// What the kernel's filter kept, and what found the ring full.
    pub captured: Captured,
}

/// Whether a trace is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// It is.
    Valid,
    /// Packets are missing.
    Suspect,
}

/// A distribution of times; all are 0 where there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Half are below.
    pub p50: f64,
    /// Nine of ten are below.
    pub p90: f64,
    /// 99 of 100 are below.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// What was seen in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Bytes of their frames.
    pub bytes: u64,
    /// Bytes of their payloads.
    pub payload_bytes: u64,
    /// Packets with what had been seen before.
    pub retransmissions: u64,
    /// Packets larger than a frame of Ethernet.
    pub giant: u64,
    /// Packets for each exchange.
    pub packets_per_request: f64,
    /// Bytes of frames for each exchange.
    pub bytes_per_request: f64,
}

/// How the capture itself went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Captured {
    /// Packets that the filter kept, the dropped among them.
    pub packets: u64,
    /// Those that found the ring full.
    pub dropped: u64,
    /// Those for which the file had no room; they count in all figures.
    pub left_out_of_file: u64,
    /// Processor time of the capturing process.
    pub cpu_s: f64,
}

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

impl Summary {
    /// From all that was counted.
    pub fn new(tally: &Tally, counts: &Counts, around: &Circumstances<'_>) -> Self {
        let exchanges = tally.requests + tally.by_bytes_and_time;
        let dropped = around.statistics.dropped;
        Self {
            event: "summary".into(),
            schema: SCHEMA.into(),
            verdict: match dropped {
                0 => Verdict::Valid,
                _ => Verdict::Suspect,
            },
            notes: notes(tally, counts, around),
            interface: around.interface.into(),
            view: around.view.into(),
            port: around.port,
            requests: tally.requests,
            by_bytes_and_time: tally.by_bytes_and_time,
            timed: tally.first_byte.len(),
            pipelined: tally.pipelined,
            unanswered: counts.unanswered,
            unasked: counts.unasked,
            connections: counts.connections,
            resets: counts.resets,
            handshake_us: times(&tally.handshake),
            request_us: times(&tally.request),
            first_byte_us: times(&tally.first_byte),
            last_byte_us: times(&tally.last_byte),
            to_server: traffic(&counts.to_server, exchanges),
            to_client: traffic(&counts.to_client, exchanges),
            largest_frame_bytes: counts.largest_frame_bytes,
            captured: Captured {
                packets: around.statistics.packets,
                dropped,
                left_out_of_file: around.left_out_of_file,
                cpu_s: around.cpu.as_secs_f64(),
            },
        }
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

fn times(times: &Histogram<u64>) -> Times {
    let at = |quantile: f64| times.value_at_quantile(quantile) as f64 / 1e3;
    Times {
        count: times.len(),
        mean: times.mean() / 1e3,
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        max: times.max() as f64 / 1e3,
    }
}

fn traffic(direction: &Direction, exchanges: u64) -> Traffic {
    let each = |all: u64| all as f64 / exchanges.max(1) as f64;
    Traffic {
        packets: direction.packets,
        bytes: direction.bytes,
        payload_bytes: direction.payload_bytes,
        retransmissions: direction.retransmissions,
        giant: direction.giant,
        packets_per_request: each(direction.packets),
        bytes_per_request: each(direction.bytes),
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

    fn summary(tally: &Tally, dropped: u64) -> Summary {
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
        Summary::new(tally, &counts, &around)
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
        let summary = summary(&tally, 0);
        assert_eq!(
            (summary.requests, summary.by_bytes_and_time, summary.timed),
            (2, 1, 2)
        );
        let near =
            |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 0.001, "{found}");
        near(summary.first_byte_us.mean, 3000.0);
        near(summary.last_byte_us.max, 8000.0);
        near(summary.request_us.p50, 1000.0);
        assert_eq!(summary.handshake_us.count, 1);
        near(summary.to_server.packets_per_request, 2.0);
        near(summary.to_server.bytes_per_request, 200.0);
        assert_eq!(summary.verdict, Verdict::Valid);
        assert!(
            summary
                .notes
                .iter()
                .any(|note| note.contains("bytes and time alone"))
        );
    }

    #[test]
    fn a_trace_with_drops_is_suspect_and_is_read_back_as_it_was() {
        let summary = summary(&Tally::new(Duration::ZERO), 3);
        assert_eq!(summary.verdict, Verdict::Suspect);
        assert!(summary.notes[0].starts_with("3 of 10 packets found the ring full"));
        let text = serde_json::to_string(&summary).unwrap();
        assert!(text.contains(r#""verdict":"SUSPECT""#), "{text}");
        assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
    }
}
