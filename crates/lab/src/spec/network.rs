//! What server and generator speak over, as an experiment says it.
//!
//! ```toml
//! wire = true                    # capture what passes at both ends
//!
//! [network]
//! kind = "veth"                  # or "loopback"; a list is an axis, and so it is with rtt, rate and loss
//! rtt = ["10ms", "80ms"]         # from here on: a link that is slow in a known way, as archbench link has it
//! rate = "20mbit"
//! loss = "0.5%"
//! jitter = "1ms"
//! queue = "64k"
//! ```

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use workload::units;

use super::quantity::{OneOrMany, Size, Text, Time, text};

/// Where server and generator are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkKind {
    /// On one host, which hands its packets to itself.
    Loopback,
    /// On two hosts of this machine, network namespaces, with a pair of virtual Ethernet interfaces between them.
    Veth,
}

impl NetworkKind {
    /// As the file says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Veth => "veth",
        }
    }
}

impl FromStr for NetworkKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "loopback" => Ok(Self::Loopback),
            "veth" => Ok(Self::Veth),
            other => Err(format!(
                "the network '{other}' is neither loopback nor veth"
            )),
        }
    }
}

/// Bits a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitRate(pub u64);

/// A share of all, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(pub f64);

impl<'de> Deserialize<'de> for BitRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        units::bit_rate(&text(deserializer)?)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        units::share(&text(deserializer)?)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// As far as `archbench link` goes.
const LONGEST_RTT: Duration = Duration::from_secs(60);

/// `[network]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Where server and generator are; loopback if nothing is said, veth if there is a link.
    pub kind: Option<OneOrMany<Text<NetworkKind>>>,
    /// Of a link: there and back.
    pub rtt: Option<OneOrMany<Time>>,
    /// Of a link: what each direction sends.
    pub rate: Option<OneOrMany<BitRate>>,
    /// Of a link: what never arrives.
    pub loss: Option<OneOrMany<Share>>,
    /// Of a link: how much a packet's way varies.
    pub jitter: Option<Time>,
    /// Of a link: what may wait to be sent.
    pub queue: Option<Size>,
}

/// One network, every knob at one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkCell {
    /// Where server and generator are.
    pub kind: NetworkKind,
    /// What is between them, if it is to be slow.
    pub link: Option<LinkCell>,
}

/// A link, every knob at one value; those that are not given are as `archbench link` has them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkCell {
    /// There and back.
    pub rtt: Duration,
    /// Bits a second each way.
    pub rate: Option<u64>,
    /// From 0 to 1.
    pub loss: Option<f64>,
    /// How much a packet's way varies.
    pub jitter: Option<Duration>,
    /// Bytes.
    pub queue: Option<u64>,
}

/// What is between hosts where nothing is said.
impl Default for NetworkCell {
    fn default() -> Self {
        Self {
            kind: NetworkKind::Loopback,
            link: None,
        }
    }
}

impl Network {
    /// Whether it has a link.
    fn has_link(&self) -> bool {
        let knobs = [
            self.rtt.is_some(),
            self.rate.is_some(),
            self.loss.is_some(),
            self.jitter.is_some(),
            self.queue.is_some(),
        ];
        knobs.contains(&true)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let kinds = self.kinds();
        if self.has_link() && kinds.contains(&NetworkKind::Loopback) {
            return Err("network: a link takes two hosts; loopback has one. Say kind = \"veth\", or nothing".into());
        }
        if self.queue.is_some() && self.rate.is_none() {
            return Err("network: a queue does nothing without a rate".into());
        }
        for rtt in values(self.rtt.as_ref()) {
            let rtt = rtt.map_or(Duration::ZERO, |rtt| rtt.0);
            if rtt > LONGEST_RTT {
                return Err(format!(
                    "network: an rtt is {LONGEST_RTT:?} at most, and one is {rtt:?}"
                ));
            }
            if self.jitter.is_some_and(|jitter| jitter.0 > rtt / 2) {
                return Err(format!(
                    "network: jitter may be half of the rtt at most, and one rtt is {rtt:?}"
                ));
            }
        }
        Ok(())
    }

    /// Whether any of its combinations does.
    pub(crate) fn takes_two_hosts(&self) -> bool {
        self.kinds().contains(&NetworkKind::Veth)
    }

    fn kinds(&self) -> Vec<NetworkKind> {
        match &self.kind {
            Some(kinds) => kinds.0.iter().map(|kind| kind.0).collect(),
            None if self.has_link() => vec![NetworkKind::Veth],
            None => vec![NetworkKind::Loopback],
        }
    }

    /// How many combinations there are, before they are listed.
    pub fn count(&self) -> usize {
        fn axis<T>(values: Option<&OneOrMany<T>>) -> usize {
            values.map_or(1, |values| values.0.len())
        }
        [
            axis(self.kind.as_ref()),
            axis(self.rtt.as_ref()),
            axis(self.rate.as_ref()),
            axis(self.loss.as_ref()),
        ]
        .into_iter()
        .fold(1, usize::saturating_mul)
    }

    /// Every combination.
    pub fn cells(&self) -> Vec<NetworkCell> {
        let mut cells = Vec::new();
        for kind in self.kinds() {
            for rtt in values(self.rtt.as_ref()) {
                for rate in values(self.rate.as_ref()) {
                    for loss in values(self.loss.as_ref()) {
                        let link = self.has_link().then(|| LinkCell {
                            rtt: rtt.map_or(Duration::ZERO, |rtt| rtt.0),
                            rate: rate.map(|rate| rate.0),
                            loss: loss.map(|loss| loss.0),
                            jitter: self.jitter.map(|jitter| jitter.0),
                            queue: self.queue.map(|queue| queue.0),
                        });
                        cells.push(NetworkCell { kind, link });
                    }
                }
            }
        }
        cells
    }
}

fn values<T: Copy>(axis: Option<&OneOrMany<T>>) -> Vec<Option<T>> {
    match axis {
        None => vec![None],
        Some(values) => values.0.iter().copied().map(Some).collect(),
    }
}

impl LinkCell {
    /// As flags of `archbench link`.
    pub fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        let mut put = |flag: &str, value: Option<String>| {
            if let Some(value) = value {
                flags.extend([flag.to_owned(), value]);
            }
        };
        let nanoseconds = |time: Duration| format!("{}ns", time.as_nanos());
        put("--rtt", Some(nanoseconds(self.rtt)));
        put("--rate", self.rate.map(|rate| format!("{rate}bit")));
        put("--loss", self.loss.map(|loss| loss.to_string()));
        put("--jitter", self.jitter.map(nanoseconds));
        put("--queue", self.queue.map(|bytes| bytes.to_string()));
        flags
    }
}

impl fmt::Display for NetworkCell {
    /// For people.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.link) {
            (NetworkKind::Loopback, _) => out.write_str("loopback"),
            (NetworkKind::Veth, None) => {
                out.write_str("a veth pair between two network namespaces")
            }
            (NetworkKind::Veth, Some(link)) => {
                write!(out, "a link of {:?} there and back", link.rtt)?;
                if let Some(rate) = link.rate {
                    write!(out, ", {} Mbit/s each way", rate as f64 / 1e6)?;
                }
                if let Some(bytes) = link.queue {
                    write!(out, ", a queue of {bytes} bytes")?;
                }
                if let Some(loss) = link.loss {
                    write!(out, ", {} % lost", loss * 100.0)?;
                }
                if let Some(jitter) = link.jitter {
                    write!(out, ", ±{jitter:?} each way")?;
                }
                out.write_str(", between two network namespaces")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Result<Network, String> {
        let network: Network = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        network.check().map(|()| network)
    }

    #[test]
    fn lists_are_axes_and_a_link_takes_two_hosts() {
        let cells = |text: &str| network(text).unwrap().cells();
        assert_eq!(cells(""), [NetworkCell::default()]);
        let kinds: Vec<_> = cells("kind = [\"loopback\", \"veth\"]")
            .iter()
            .map(|cell| cell.kind)
            .collect();
        assert_eq!(kinds, [NetworkKind::Loopback, NetworkKind::Veth]);
        let links = cells("rtt = [\"10ms\", \"80ms\"]\nrate = \"20mbit\"\nloss = [0, \"0.5%\"]");
        assert_eq!(links.len(), 4);
        assert!(links.iter().all(|cell| cell.kind == NetworkKind::Veth));
        let last = links[3].link.unwrap();
        assert_eq!(
            last.flags().join(" "),
            "--rtt 80000000ns --rate 20000000bit --loss 0.005"
        );
        let expected = "a link of 80ms there and back, 20 Mbit/s each way, 0.5 % lost, between two network namespaces";
        assert_eq!(links[3].to_string(), expected);
    }

    #[test]
    fn nonsense_is_refused() {
        for (text, told) in [
            ("kind = \"wifi\"", "neither loopback nor veth"),
            ("kind = \"loopback\"\nrtt = \"1ms\"", "two hosts"),
            (
                "kind = [\"loopback\", \"veth\"]\nrtt = \"1ms\"",
                "two hosts",
            ),
            ("queue = \"64k\"", "without a rate"),
            ("rtt = \"2m\"", "60s at most"),
            (
                "rtt = [\"80ms\", \"1ms\"]\njitter = \"1ms\"",
                "half of the rtt",
            ),
            ("jitter = \"1ms\"", "half of the rtt"),
            ("loss = \"101%\"", "more than all"),
            ("rate = \"20m\"", "lacks its unit"),
            ("speed = 1", "unknown field"),
        ] {
            let error = network(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
