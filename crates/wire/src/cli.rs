//! The arguments of `archbench wire`, as they are typed.

use std::path::PathBuf;
use std::time::Duration;

use command::output::Format;
use sys::packet_ring;
use workload::units;

/// Where packets begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum View {
    /// At their link-layer header (SOCK_RAW).
    Raw,
    /// At their IP header; the kernel has taken the one before it off (SOCK_DGRAM).
    Datagram,
}

impl View {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Datagram => "datagram",
        }
    }

    pub(crate) fn of_ring(self) -> packet_ring::View {
        match self {
            Self::Raw => packet_ring::View::Raw,
            Self::Datagram => packet_ring::View::Datagram,
        }
    }
}

/// Capture what the wire sees of a server, and match requests to answers
///
/// Packets of the server's port are taken from the interface by a ring that the kernel shares with this process. Printed is how long the
/// server took by the wire's clock, what was retransmitted, and packets and bytes for each request; with --output the packets are
/// kept as pcapng, which Wireshark opens. What is encrypted or multiplexed is matched by bytes and time alone, and marked so.
///
/// It takes root, or the right CAP_NET_RAW.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The port of the server
    #[arg(long, value_name = "PORT", default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// The interface
    #[arg(long, value_name = "NAME", default_value = "lo")]
    pub interface: String,
    /// How long; until a signal comes if not given
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub duration: Option<Duration>,
    /// Requests that come so soon after the first packet do not count in the times
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = units::duration)]
    pub warmup: Duration,
    /// A file for the packets, as pcapng
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How large the file may become; packets that come later count all the same
    #[arg(long, value_name = "SIZE", default_value = "256m", value_parser = units::size)]
    pub most: u64,
    /// Bytes that are kept of each packet; heads that are longer cannot be matched
    #[arg(long, value_name = "SIZE", default_value = "1k", value_parser = kept)]
    pub snap: u32,
    /// Where packets begin
    #[arg(long, value_name = "VIEW", default_value = "raw")]
    pub view: View,
    /// The memory that the kernel puts packets into, from 2m to 1g
    #[arg(long, value_name = "SIZE", default_value = "32m", value_parser = ring)]
    pub ring: u64,
    /// How readiness and the summary at the end are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output_format: Format,
}

const EXAMPLES: &str = "Examples:\n  \
    archbench wire --port 8080 --duration 10s --output trace.pcapng\n  \
    nsenter --net=/proc/PID/ns/net archbench wire --interface archbench0\n\n\
    SIGTERM or Ctrl-C ends the capture, prints a summary and exits 0, as does the end of --duration; a second one ends at once (130).\n\
    Exit status: 0 captured, 1 failed, 2 wrong usage. Packets that were dropped make a trace SUSPECT.";

fn kept(text: &str) -> Result<u32, String> {
    let bytes = units::size(text).map_err(|error| error.to_string())?;
    match u32::try_from(bytes) {
        Ok(bytes @ 96..=262_144) => Ok(bytes),
        _ => Err(format!(
            "'{text}' of each packet cannot be kept: from 96, the headers, to 256k"
        )),
    }
}

fn ring(text: &str) -> Result<u64, String> {
    match units::size(text).map_err(|error| error.to_string())? {
        bytes if (2 << 20..=1 << 30).contains(&bytes) => Ok(bytes),
        _ => Err(format!("a ring of '{text}' cannot be had: from 2m to 1g")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args, FromArgMatches};

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        let command = Arguments::augment_args(clap::Command::new("wire"));
        let matches = command.try_get_matches_from(line.split(' '))?;
        Arguments::from_arg_matches(&matches)
    }

    #[test]
    fn every_option_counts() {
        let line = "wire --port 81 --interface eth0 --duration 3s --warmup 1s -o x.pcapng --most 1m --snap 96 --view datagram --ring 4m";
        let arguments = parse(line).unwrap();
        assert_eq!((arguments.port, arguments.interface.as_str()), (81, "eth0"));
        assert_eq!(arguments.duration, Some(Duration::from_secs(3)));
        assert_eq!(arguments.warmup, Duration::from_secs(1));
        assert_eq!(
            (arguments.most, arguments.snap, arguments.ring),
            (1 << 20, 96, 4 << 20)
        );
        assert_eq!(arguments.view, View::Datagram);
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in [
            "wire --port 0",
            "wire --snap 95",
            "wire --snap 1g",
            "wire --ring 1m",
            "wire --ring 2g",
            "wire --view x",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
