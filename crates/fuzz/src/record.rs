//! A session under TLS.

mod ends;

use meter::Event;

use crate::cut;
use ends::{Client, PLACE, Place, Server};

/// How much a change takes in an input, in bytes.
const CHANGE_BYTES: usize = 4;

/// Has a session receive `bytes`, the first of which choose cuts and how it ends: as they are, or as changes to the records of a client
/// that speaks TLS, shakes hands and asks.
///
/// # Panics
/// When cut bytes are received otherwise; when something is said that is neither a record nor a page; when anything comes of a record
/// that is not the client's, or of one behind it; when the session does not end.
pub fn check(bytes: &[u8]) {
    let Some((seed, input)) = cut::seed(bytes) else {
        return;
    };
    PLACE.with(|place| match seed & 1 {
        0 => raw(place, input, seed),
        _ => changed(place, input, seed),
    });
}

/// What a session does about bytes that nobody has encrypted. How long its answers are hangs on random numbers.
#[derive(Debug, PartialEq, Eq)]
struct Received {
    events: Vec<Event>,
    /// The first byte of what is said.
    kind: Option<u8>,
}

fn raw(place: &Place, input: &[u8], seed: u32) {
    let whole = receive(place, [input], seed);
    let cut = receive(place, cut::pieces(input, seed | 1), seed);
    let bytewise = receive(place, input.chunks(1), seed);
    assert_eq!(whole, cut, "whole and cut");
    assert_eq!(whole, bytewise, "whole and a byte at a time");
}

fn receive<'a>(place: &Place, pieces: impl IntoIterator<Item = &'a [u8]>, seed: u32) -> Received {
    let mut server = Server::new(place, seed);
    for piece in pieces {
        server.receive(piece);
    }
    server.end(seed);
    let said = server.take_said();
    match said.first() {
        None => {}
        Some(b'H') => assert!(
            said.starts_with(b"HTTP/1.1 400 Bad Request\r\n"),
            "{said:?}"
        ),
        Some(_) => are_records(&said),
    }
    Received {
        kind: said.first().copied(),
        events: server.events(),
    }
}

/// Records, each of a kind that there is and no longer than it may be (RFC 8446, section 5.1).
fn are_records(mut said: &[u8]) {
    while !said.is_empty() {
        let Some((&[kind, 3, _, a, b], rest)) = said.split_first_chunk::<5>() else {
            panic!("no record: {said:02x?}");
        };
        let length = usize::from(u16::from_be_bytes([a, b]));
        assert!((20..=23).contains(&kind), "a record of kind {kind}");
        assert!(length <= (1 << 14) + 256 && length <= rest.len());
        said = &rest[length..];
    }
}

/// What becomes of one of the client's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// A bit of this byte of it is another.
    Flip(usize, u8),
    Drop,
    Twice,
    /// The connection ends within it.
    Cut(usize),
    /// This comes before it, as a record of this kind with so many bytes.
    Insert(u8, usize),
}

impl Change {
    fn of(bytes: &[u8; CHANGE_BYTES]) -> (usize, Change) {
        let [record, kind, a, b] = *bytes;
        let at = usize::from(u16::from_le_bytes([a, b]));
        let change = match kind % 5 {
            0 => Change::Flip(at, 1 << (kind / 5 % 8)),
            1 => Change::Drop,
            2 => Change::Twice,
            3 => Change::Cut(at),
            _ => Change::Insert(kind / 5 % 4 + 20, at % 64),
        };
        (usize::from(record % 16), change)
    }

    /// The bytes that come instead of `record`, and whether the connection has ended.
    fn apply(self, record: &[u8]) -> (Vec<u8>, bool) {
        let mut bytes = record.to_vec();
        let last = record.len() - 1;
        match self {
            Change::Flip(at, bit) => bytes[at % record.len()] ^= bit,
            Change::Drop => bytes.clear(),
            Change::Twice => bytes.extend_from_slice(record),
            Change::Cut(at) => {
                bytes.truncate(at % record.len());
                return (bytes, true);
            }
            Change::Insert(kind, length) => {
                let mut inserted = vec![kind, 3, 3, 0, length as u8];
                inserted.resize(5 + length, last as u8);
                bytes.splice(..0, inserted);
            }
        }
        (bytes, false)
    }

    /// Whether a record of application data is none any more. What it is outside, and of which version, is not looked at once all is
    /// encrypted (RFC 8446, sections 5.1 and 5.2), for the kind that counts is inside.
    fn is_felt(self, record: &[u8]) -> bool {
        !matches!(self, Change::Flip(at, _) if at % record.len() < 3)
    }
}

fn changed(place: &Place, input: &[u8], seed: u32) {
    let changes = input.as_chunks::<CHANGE_BYTES>().0;
    let changes: Vec<_> = changes.iter().map(Change::of).collect();
    let mut client = Client::new(place, seed);
    let mut server = Server::new(place, seed);
    let mut number = 0;
    // What may still be answered; all, for as long as nothing was changed.
    let mut allowed: Option<usize> = None;
    let (mut was_changed, mut is_cut) = (false, false);
    'connection: loop {
        let mut moved = false;
        let is_of_handshake = client.asked == 0;
        for record in client.records() {
            let change = changes.iter().find(|(at, _)| *at == number);
            number += 1;
            moved = true;
            let mut bytes = record.clone();
            if let Some((_, change)) = change {
                (bytes, is_cut) = change.apply(&record);
                was_changed = true;
                if !is_of_handshake && change.is_felt(&record) && allowed.is_none() {
                    // The first of two is the client's.
                    let more = usize::from(*change == Change::Twice);
                    allowed = Some(client.answers_to(client.asked - 1 + more));
                }
            }
            for piece in cut::pieces(&bytes, seed | 1) {
                server.receive(piece);
            }
            if is_cut {
                break 'connection;
            }
        }
        let said = server.take_said();
        moved |= !said.is_empty();
        if client.read(&said).is_err() {
            assert!(was_changed, "the client does not understand the server");
            break;
        }
        if !moved && !client.ask() {
            break;
        }
    }
    server.end(seed);
    let said = server.take_said();
    let _ = client.read(&said);
    client.is_right();
    let answered = client.answer.len();
    if let Some(allowed) = allowed {
        assert!(
            answered <= allowed,
            "{answered} bytes came of wrong records"
        );
    }
    if !was_changed {
        assert_eq!(answered, client.answers_to(usize::MAX));
        assert!(client.is_told_of_the_end(), "it could be cut off");
        assert_eq!(server.events(), [Event::Handshake]);
    }
}
