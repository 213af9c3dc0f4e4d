//! The arguments of `archbench link`, as they are typed.

use std::path::PathBuf;
use std::time::Duration;

use command::output::Format;
use workload::units;

use crate::{Model, Way};

/// Join two hosts on this machine by a link that is slow in a known way
///
/// The hosts are network namespaces, made for the purpose and gone with this command: the server's address is 198.18.0.1, the
/// client's 198.18.0.2. A packet waits in a queue, takes its bytes over the rate to be sent and half of the round-trip time to arrive;
/// both directions are alike. netem does it where the kernel has it and the command tc is there; elsewhere this program does.
///
/// It takes root, or 'unshare --map-root-user' before the command.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Time there and back of a packet that nothing holds up, up to a minute
    #[arg(long, value_name = "TIME", default_value = "80ms", value_parser = round_trip)]
    pub rtt: Duration,
    /// Bits sent each way in a second, like 20mbit; as fast as can be if not given
    #[arg(long, value_name = "RATE", value_parser = units::bit_rate)]
    pub rate: Option<u64>,
    /// Share of the packets that is lost on its way, like 0.5%
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = units::share)]
    pub loss: f64,
    /// How much earlier or later than that a packet may arrive each way, at most half of --rtt; the order is kept
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = units::duration)]
    pub jitter: Duration,
    /// Bytes that may wait to be sent each way; if not given, what is sent in a round trip, and 64k at least
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub queue: Option<u64>,
    /// Losses and jitter are drawn from it in user space: the same packets meet the same fate
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How packets are made to take their time; netem where it can be had if not given
    #[arg(long, value_name = "WAY")]
    pub way: Option<Way>,
    /// The server's namespace, like /proc/PID/ns/net, in place of a new one
    #[arg(long, value_name = "PATH", requires = "client_namespace")]
    pub server_namespace: Option<PathBuf>,
    /// The client's namespace
    #[arg(long, value_name = "PATH", requires = "server_namespace")]
    pub client_namespace: Option<PathBuf>,
    /// How readiness and the summary at the end are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output_format: Format,
}

const EXAMPLES: &str = "Examples:\n  \
    archbench link --rtt 80ms --rate 20mbit --loss 0.5%      it says how to start a program on either host, like\n  \
    nsenter --net=/proc/PID/fd/3 archbench serve --addr 198.18.0.1:8080\n  \
    nsenter --net=/proc/PID/fd/4 archbench load http://198.18.0.1:8080\n\n\
    SIGTERM or Ctrl-C ends the link, prints a summary and exits 0; a second one ends at once (130).\n\
    Exit status: 0 joined and ended, 1 failed, 2 wrong usage.";

impl Arguments {
    /// The link that is asked for.
    ///
    /// # Errors
    /// What makes no sense, in words.
    pub fn model(&self) -> Result<Model, String> {
        let model = Model {
            round_trip: self.rtt,
            rate_bits_per_s: self.rate,
            loss: self.loss,
            jitter: self.jitter,
            queue_bytes: self
                .queue
                .unwrap_or_else(|| Model::usual_queue_bytes(self.rtt, self.rate)),
            seed: self.seed,
        };
        if model.jitter > model.delay() {
            return Err(format!(
                "--jitter {:?} is more than half of --rtt {:?}: packets would arrive before they are sent",
                self.jitter, self.rtt
            ));
        }
        if self.queue.is_some() && self.rate.is_none() {
            return Err(
                "--queue does nothing without --rate: nothing ever waits to be sent".into(),
            );
        }
        Ok(model)
    }
}

fn round_trip(text: &str) -> Result<Duration, String> {
    let time = units::duration(text).map_err(|error| error.to_string())?;
    if time > Duration::from_secs(60) {
        return Err(format!("'{text}' is too long for a round trip: at most 1m"));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args, FromArgMatches};

    fn parse(line: &str) -> Result<Model, String> {
        let command = Arguments::augment_args(clap::Command::new("link"));
        let matches = command.try_get_matches_from(line.split(' '));
        let matches = matches.map_err(|error| error.to_string())?;
        let arguments = Arguments::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        arguments.model()
    }

    #[test]
    fn every_option_counts() {
        let line = "link --rtt 20ms --rate 8mbit --loss 1% --jitter 2ms --queue 32k --seed 5";
        let expected = Model {
            round_trip: Duration::from_millis(20),
            rate_bits_per_s: Some(8_000_000),
            loss: 0.01,
            jitter: Duration::from_millis(2),
            queue_bytes: 32 << 10,
            seed: 5,
        };
        assert_eq!(parse(line), Ok(expected));
        let bare = parse("link --rate 20mbit").unwrap();
        assert_eq!(bare.queue_bytes, 200_000);
        assert_eq!(bare.delay(), Duration::from_millis(40));
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in [
            "link --rtt 61s",
            "link --rtt 80",
            "link --rate 0bit",
            "link --rate 20m",
            "link --loss 101%",
            "link --rtt 80ms --jitter 41ms",
            "link --queue 64k",
            "link --way fast",
            "link --server-namespace /proc/1/ns/net",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
