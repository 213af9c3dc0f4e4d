//! What a peer tells a tracker, and what it hears of that (BEP 3, *trackers*; compact lists of peers: BEP 23, and BEP 7 for IPv6).

pub(crate) mod http;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bendy::decoding::{Decoder, Object};
use bendy::encoding::Encoder;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, percent_encode};

use super::wire::{Hash, PeerId};

/// How many peers are asked for, if not otherwise said.
pub(crate) const USUAL_PEERS: usize = 50;
/// How many a tracker names at the most, and how many of an answer are looked at.
pub(crate) const MOST_PEERS: usize = 200;
/// Nobody is told to come back sooner or later than that.
const INTERVALS: std::ops::RangeInclusive<u64> = 1..=24 * 60 * 60;
/// An answer is a dictionary; peers that are not compact are dictionaries in a list.
const DEEPEST: usize = 8;

/// Why an announcement is made, if not because it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The peer has just begun.
    Started,
    /// It ends.
    Stopped,
    /// It has all of the torrent now.
    Completed,
}

impl Event {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Started, "started"),
        (Self::Stopped, "stopped"),
        (Self::Completed, "completed"),
    ];

    fn name(self) -> &'static str {
        let is_it = |&&(event, _): &&(Self, &'static str)| event == self;
        Self::ALL.iter().find(is_it).map_or("", |(_, name)| name)
    }
}

/// What a peer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Announcement {
    pub(crate) info_hash: Hash,
    pub(crate) peer_id: PeerId,
    /// Where it listens.
    pub(crate) port: u16,
    /// Bytes that it has sent, has received, and lacks.
    pub(crate) uploaded: u64,
    pub(crate) downloaded: u64,
    pub(crate) left: u64,
    pub(crate) event: Option<Event>,
    /// How many peers it wants to hear of.
    pub(crate) peers: usize,
}

impl Announcement {
    /// As the query of a URL.
    pub(crate) fn query(&self) -> String {
        let escaped = |bytes: &Hash| percent_encode(bytes, NON_ALPHANUMERIC).to_string();
        let mut query = format!(
            "info_hash={}&peer_id={}&port={}&uploaded={}&downloaded={}&left={}&compact=1&numwant={}",
            escaped(&self.info_hash),
            escaped(&self.peer_id),
            self.port,
            self.uploaded,
            self.downloaded,
            self.left,
            self.peers
        );
        if let Some(event) = self.event {
            let _ = write!(query, "&event={}", event.name());
        }
        query
    }

    /// Of a query.
    ///
    /// # Errors
    /// What is missing in it, or makes no sense.
    pub(crate) fn parse(query: &[u8]) -> Result<Self, String> {
        let text = |name: &str| -> Option<Vec<u8>> {
            let mut pairs = query.split(|&byte| byte == b'&');
            pairs.find_map(|pair| {
                let value = pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
                Some(percent_decode(value).collect())
            })
        };
        let missing = |name: &str| format!("'{name}' is missing, or is not what it has to be");
        let hash = |name: &str| -> Result<Hash, String> {
            let hash = text(name).and_then(|bytes| bytes.try_into().ok());
            hash.ok_or_else(|| missing(name))
        };
        let number =
            |name: &str| -> Option<u64> { str::from_utf8(&text(name)?).ok()?.parse().ok() };
        let needed = |name: &str| number(name).ok_or_else(|| missing(name));
        let port = u16::try_from(needed("port")?).ok().filter(|&port| port > 0);
        let event = text("event").unwrap_or_default();
        let is_it = |(_, name): &&(Event, &str)| name.as_bytes() == event;
        let peers = number("numwant").and_then(|peers| usize::try_from(peers).ok());
        Ok(Self {
            info_hash: hash("info_hash")?,
            peer_id: hash("peer_id")?,
            port: port.ok_or_else(|| missing("port"))?,
            uploaded: number("uploaded").unwrap_or(0),
            downloaded: number("downloaded").unwrap_or(0),
            left: needed("left")?,
            event: Event::ALL.iter().find(is_it).map(|&(event, _)| event),
            peers: peers.unwrap_or(USUAL_PEERS).min(MOST_PEERS),
        })
    }
}

/// What a tracker answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// When to come back.
    pub(crate) interval: Duration,
    /// How many have all of the torrent, and how many have not; none, where it does not say.
    pub(crate) seeds: Option<u64>,
    pub(crate) leeches: Option<u64>,
    pub(crate) peers: Vec<SocketAddr>,
}

impl Answer {
    /// As a tracker sends it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (mut of_four, mut of_six) = (Vec::new(), Vec::new());
        for peer in &self.peers {
            let list = match peer.ip() {
                IpAddr::V4(ip) => {
                    of_four.extend(ip.octets());
                    &mut of_four
                }
                IpAddr::V6(ip) => {
                    of_six.extend(ip.octets());
                    &mut of_six
                }
            };
            list.extend(peer.port().to_be_bytes());
        }
        dictionary(|encoder| {
            encoder.emit_dict(|mut answer| {
                answer.emit_pair(b"complete", self.seeds.unwrap_or(0))?;
                answer.emit_pair(b"incomplete", self.leeches.unwrap_or(0))?;
                answer.emit_pair(b"interval", self.interval.as_secs())?;
                answer.emit_pair_with(b"peers", |peers| peers.emit_bytes(&of_four))?;
                if !of_six.is_empty() {
                    answer.emit_pair_with(b"peers6", |peers| peers.emit_bytes(&of_six))?;
                }
                Ok(())
            })
        })
    }

    /// Of what a tracker sent.
    ///
    /// # Errors
    /// Why it refuses, in its words, or what is wrong with what it says.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let wrong = |error: bendy::decoding::Error| format!("its answer is not bencoded: {error}");
        let mut decoder = Decoder::new(bytes).with_max_depth(DEEPEST);
        let Some(Object::Dict(mut pairs)) = decoder.next_object().map_err(wrong)? else {
            return Err("its answer is no dictionary".into());
        };
        let mut answer = Self {
            interval: Duration::ZERO,
            seeds: None,
            leeches: None,
            peers: Vec::new(),
        };
        while let Some((key, value)) = pairs.next_pair().map_err(wrong)? {
            match (key, value) {
                (b"failure reason", Object::Bytes(why)) => {
                    return Err(format!("it says: {}", printable(why)));
                }
                (b"interval", Object::Integer(seconds)) => {
                    let seconds = seconds.parse().unwrap_or(0);
                    answer.interval =
                        Duration::from_secs(seconds.clamp(*INTERVALS.start(), *INTERVALS.end()));
                }
                (b"complete", Object::Integer(count)) => answer.seeds = count.parse().ok(),
                (b"incomplete", Object::Integer(count)) => answer.leeches = count.parse().ok(),
                (b"peers", Object::Bytes(list)) => {
                    let peers = list.as_chunks::<6>().0.iter();
                    answer.peers.extend(peers.map(|&[a, b, c, d, high, low]| {
                        let ip = Ipv4Addr::new(a, b, c, d);
                        SocketAddr::from((ip, u16::from_be_bytes([high, low])))
                    }));
                }
                (b"peers6", Object::Bytes(list)) => {
                    let peers = list.as_chunks::<18>().0.iter();
                    answer.peers.extend(peers.map(|peer| {
                        let mut ip = [0; 16];
                        ip.copy_from_slice(&peer[..16]);
                        let port = u16::from_be_bytes([peer[16], peer[17]]);
                        SocketAddr::from((Ipv6Addr::from(ip), port))
                    }));
                }
                (b"peers", Object::List(mut list)) => {
                    while let Some(entry) = list.next_object().map_err(wrong)? {
                        answer.peers.extend(peer(entry).map_err(wrong)?);
                    }
                }
                _ => {}
            }
        }
        if answer.interval.is_zero() {
            return Err("its answer has no interval".into());
        }
        answer.peers.truncate(MOST_PEERS);
        Ok(answer)
    }
}

/// A refusal, as a tracker sends it.
pub(crate) fn refusal(why: &str) -> Vec<u8> {
    dictionary(|encoder| encoder.emit_dict(|mut answer| answer.emit_pair(b"failure reason", why)))
}

fn dictionary(emit: impl FnOnce(&mut Encoder) -> Result<(), bendy::encoding::Error>) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let written = emit(&mut encoder).and_then(|()| encoder.get_output());
    written.expect("keys are sorted, and dictionaries whole")
}

/// One of a list that is not compact, if it has an address.
fn peer(entry: Object<'_, '_>) -> Result<Option<SocketAddr>, bendy::decoding::Error> {
    let Object::Dict(mut pairs) = entry else {
        return Ok(None);
    };
    let (mut ip, mut port) = (None, None);
    while let Some((key, value)) = pairs.next_pair()? {
        match (key, value) {
            (b"ip", Object::Bytes(text)) => {
                ip = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
            }
            (b"port", Object::Integer(number)) => port = number.parse().ok(),
            _ => {}
        }
    }
    Ok(ip
        .zip(port)
        .map(|(ip, port): (IpAddr, u16)| (ip, port).into()))
}

/// What others wrote, for a terminal.
fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(200)
        .collect()
}
