//! What a capture of a server's packets says: a line when it has begun, and one with what it saw.

use serde::{Deserialize, Serialize};

use crate::{Distribution, Line, Unknown, Validity, lenient};

/// The version of both lines.
pub const SCHEMA: &str = "archbench.wire/1";

/// The line that says that packets are captured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ready {
    /// `ready`.
    pub event: String,
    /// [`SCHEMA`]; may be left out.
    pub schema: Option<String>,
    /// The process that is told to end.
    #[serde(deserialize_with = "lenient::count")]
    pub process_id: Option<u64>,
    /// Where it captures.
    pub interface: Option<String>,
    /// `raw` or `datagram`.
    pub view: Option<String>,
    /// The server's.
    pub port: Option<u16>,
    /// Bytes that are kept of each packet.
    #[serde(deserialize_with = "lenient::count")]
    pub snap_bytes: Option<u64>,
    /// Bytes of the ring.
    #[serde(deserialize_with = "lenient::count")]
    pub ring_bytes: Option<u64>,
    /// Where packets are kept.
    pub output: Option<String>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The line that says what was seen. Times are in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// `summary`.
    pub event: String,
    /// [`SCHEMA`]; may be left out.
    pub schema: Option<String>,
    /// Whether the trace is whole: `VALID`, or `SUSPECT` if packets are missing.
    pub verdict: Option<Validity>,
    /// Why not, and what has to be known of the figures.
    pub notes: Vec<String>,
    /// Where it was captured.
    pub interface: Option<String>,
    /// `raw` or `datagram`.
    pub view: Option<String>,
    /// The server's.
    pub port: Option<u16>,
    /// Exchanges that were matched by the heads of HTTP/1.
    #[serde(deserialize_with = "lenient::count")]
    pub requests: Option<u64>,
    /// Exchanges that were matched by bytes and time alone.
    #[serde(deserialize_with = "lenient::count")]
    pub by_bytes_and_time: Option<u64>,
    /// Requests that came before the answer to the one before had ended.
    #[serde(deserialize_with = "lenient::count")]
    pub pipelined: Option<u64>,
    /// Requests without an answer.
    #[serde(deserialize_with = "lenient::count")]
    pub unanswered: Option<u64>,
    /// Answers without a request.
    #[serde(deserialize_with = "lenient::count")]
    pub unasked: Option<u64>,
    /// Connections that were seen to open or to carry anything.
    #[serde(deserialize_with = "lenient::count")]
    pub connections: Option<u64>,
    /// Connections that were reset.
    #[serde(deserialize_with = "lenient::count")]
    pub resets: Option<u64>,
    /// From a SYN to its answer. Like the others, of what began after the warm-up.
    pub handshake_us: Option<Distribution>,
    /// From a request's first byte to its last.
    pub request_us: Option<Distribution>,
    /// From a request's last byte to the first of its answer.
    pub first_byte_us: Option<Distribution>,
    /// From a request's last byte to the last of its answer.
    pub last_byte_us: Option<Distribution>,
    /// From clients to the server.
    pub to_server: Option<Traffic>,
    /// From the server to clients.
    pub to_client: Option<Traffic>,
    /// The largest frame; beyond 1514 bytes segmentation offload has made one packet of several.
    #[serde(deserialize_with = "lenient::count")]
    pub largest_frame_bytes: Option<u64>,
    /// How the capture itself went.
    pub captured: Option<Captured>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What was seen in one direction.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Traffic {
    /// Packets.
    #[serde(deserialize_with = "lenient::count")]
    pub packets: Option<u64>,
    /// Bytes of their frames.
    #[serde(deserialize_with = "lenient::count")]
    pub bytes: Option<u64>,
    /// Bytes of their payloads.
    #[serde(deserialize_with = "lenient::count")]
    pub payload_bytes: Option<u64>,
    /// Packets with what had been seen before.
    #[serde(deserialize_with = "lenient::count")]
    pub retransmissions: Option<u64>,
    /// Packets larger than a frame of Ethernet.
    #[serde(deserialize_with = "lenient::count")]
    pub giant: Option<u64>,
    /// Packets for each exchange.
    pub packets_per_request: Option<f64>,
    /// Bytes of frames for each exchange.
    pub bytes_per_request: Option<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// How a capture itself went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Captured {
    /// Packets that the kernel's filter kept, the dropped among them.
    #[serde(deserialize_with = "lenient::count")]
    pub packets: Option<u64>,
    /// Those that found the ring full.
    #[serde(deserialize_with = "lenient::count")]
    pub dropped: Option<u64>,
    /// Those for which the file had no room; they count in all figures.
    #[serde(deserialize_with = "lenient::count")]
    pub left_out_of_file: Option<u64>,
    /// Processor time of the capturing process.
    pub cpu_s: Option<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Line for Ready {
    const SCHEMA: &'static str = SCHEMA;
    const EVENT: &'static str = "ready";
}

impl Line for Summary {
    const SCHEMA: &'static str = SCHEMA;
    const EVENT: &'static str = "summary";
}
