//! The server's end of a connection of HTTP/2.

use std::collections::{BTreeMap, BTreeSet};

use http::h2::Want;

use crate::cut;
use crate::frames::{Answer, HEADERS, Heard, PREFACE, SETTINGS, WINDOW_UPDATE, hello};
use crate::h2_driver::Driver;
use crate::limits::limits;

/// How many deadlines a connection outlives on which nothing comes any more.
const MOST_DEADLINES: usize = 4;
/// Where limits are tight, the bytes and the fields of a head.
const MOST_HEAD: (usize, usize) = (300, 6);

/// Serves `bytes`, the first of which choose limits and cuts: a frame at a time, cut anywhere, and whole.
///
/// # Panics
/// When a frame is answered otherwise if it comes cut; when more is sent than the client has room for, or an answer is not what its
/// fields say; when the connection does not end.
pub fn check(bytes: &[u8]) {
    let Some((seed, input)) = cut::seed(bytes) else {
        return;
    };
    let mut client = Vec::new();
    if seed & 16 == 0 {
        client.extend(hello());
    }
    client.extend_from_slice(input);
    let framewise = serve(framewise(&client), seed, u64::MAX);
    // What waits in a buffer is worked on with the frame that it is of; so pieces of one make no difference.
    let takes = 100 + u64::from(seed >> 16);
    let cut = serve(within_frames(&client, seed | 1), seed, takes);
    let bytewise = serve(client.chunks(1), seed, u64::MAX);
    for other in [&cut, &bytewise] {
        assert_eq!(&framewise, other, "cut, it is answered otherwise");
    }
    let told = Told::by(&client);
    for seen in [framewise, serve([&client[..]], seed, u64::MAX)] {
        judge(&seen, &told);
    }
}

/// What a client has seen in the end.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    answers: BTreeMap<u32, Answer>,
    data: Vec<(u32, usize)>,
    settings: BTreeMap<u16, u32>,
    settings_acks: usize,
    pongs: Vec<Vec<u8>>,
    go_away: Option<(u32, u32)>,
    granted: BTreeMap<u32, u64>,
    statuses: Vec<u16>,
}

fn serve<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, seed: u32, takes: u64) -> Seen {
    let mut driver = Driver::silent(limits(seed, MOST_HEAD));
    driver.takes = takes;
    // How much it takes is what the input says.
    driver.heard.takes = Some(usize::MAX);
    for piece in pieces {
        driver.feed(piece);
    }
    if seed & 8 == 0 {
        driver.connection.end_of_input(&mut driver.scratch);
        driver.run();
    } else {
        for _ in 0..MOST_DEADLINES {
            if driver.ended == Some(Want::Close) {
                break;
            }
            driver.expire();
        }
    }
    assert_eq!(
        driver.ended,
        Some(Want::Close),
        "it is over, and the connection is not"
    );
    let Heard {
        answers,
        data,
        settings,
        settings_acks,
        pongs,
        go_away,
        granted,
        ..
    } = driver.heard;
    Seen {
        answers,
        data,
        settings,
        settings_acks,
        pongs,
        go_away,
        granted,
        statuses: driver.statuses,
    }
}

/// A frame's header, by the plainest reading of RFC 9113, section 4.1: the length of its payload, its kind, its stream.
fn header(bytes: &[u8]) -> Option<(usize, u8, u32)> {
    let header = bytes.first_chunk::<9>()?;
    let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
    let stream = u32::from_be_bytes([header[5], header[6], header[7], header[8]]);
    Some((length, header[3], stream & 0x7fff_ffff))
}

/// The preface and then each frame; at the end what is not whole.
fn framewise(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = input;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let length = match rest.len() == input.len() {
            true => PREFACE.len(),
            false => header(rest).map_or(rest.len(), |(length, ..)| 9 + length),
        };
        let (piece, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        Some(piece)
    })
}

/// The same, each of them cut.
fn within_frames(input: &[u8], seed: u32) -> impl Iterator<Item = &[u8]> {
    framewise(input).flat_map(move |piece| cut::pieces(piece, seed))
}

/// What a client's frames allow the server, whatever else is wrong with them.
struct Told {
    /// Bytes of all answers, and of each beside what each has at first.
    room: u64,
    room_of: BTreeMap<u32, u64>,
    largest_first_window: u64,
    longest_frame: usize,
    asked: BTreeSet<u32>,
}

impl Told {
    fn by(input: &[u8]) -> Self {
        let mut told = Self {
            room: 65_535,
            room_of: BTreeMap::new(),
            largest_first_window: 65_535,
            longest_frame: 16_384,
            asked: BTreeSet::new(),
        };
        for frame in framewise(input).skip(1) {
            let Some((_, kind, stream)) = header(frame) else {
                continue;
            };
            let payload = &frame[9..];
            match kind {
                HEADERS => {
                    told.asked.insert(stream);
                }
                WINDOW_UPDATE => {
                    let Some(by) = payload.first_chunk() else {
                        continue;
                    };
                    let by = u64::from(u32::from_be_bytes(*by) & 0x7fff_ffff);
                    match stream {
                        0 => told.room += by,
                        _ => *told.room_of.entry(stream).or_default() += by,
                    }
                }
                SETTINGS => {
                    for setting in payload.chunks_exact(6) {
                        let &[_, number, a, b, c, d] = setting else {
                            continue;
                        };
                        let value = u32::from_be_bytes([a, b, c, d]);
                        match number {
                            4 => {
                                let largest = &mut told.largest_first_window;
                                *largest = (*largest).max(value.into());
                            }
                            5 => told.longest_frame = told.longest_frame.max(value as usize),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        told
    }
}

fn judge(seen: &Seen, told: &Told) {
    let mut total = 0;
    for (stream, answer) in &seen.answers {
        let length = answer.body.len() as u64;
        total += length;
        let more = told.room_of.get(stream).copied().unwrap_or_default();
        assert!(
            length <= told.largest_first_window + more,
            "stream {stream}: {length} bytes are more than there is room for"
        );
        if answer.fields.is_empty() {
            assert!(answer.reset.is_some() && length == 0);
            continue;
        }
        assert!(told.asked.contains(stream), "nobody asked on {stream}");
        assert!((200..600).contains(&answer.status()), "{answer:?}");
        let said = answer.field("content-length");
        let said = said.and_then(|length| length.parse::<u64>().ok());
        // Of HEAD, and of 304, there is none.
        let is_right = match answer.is_whole {
            true => length == 0 || said == Some(length),
            false => said.is_some_and(|said| length < said),
        };
        assert!(is_right, "stream {stream}: {length} bytes of {said:?}");
        if let Some((last, _)) = seen.go_away {
            assert!(*stream <= last, "{stream} is answered, and {last} the last");
        }
    }
    assert!(
        total <= told.room,
        "{total} bytes and room for {}",
        told.room
    );
    for (stream, length) in &seen.data {
        assert!(*length <= told.longest_frame, "stream {stream}: {length}");
    }
    let answered = seen.answers.values();
    let answered = answered.filter(|answer| !answer.fields.is_empty()).count();
    assert!(seen.statuses.len() <= answered, "{:?}", seen.statuses);
    for stream in seen.granted.keys() {
        assert!(
            *stream == 0 || told.asked.contains(stream),
            "{stream} is granted room"
        );
    }
}
