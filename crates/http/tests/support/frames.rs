//! A client's end of HTTP/2 for tests: frames as bytes, written and read here and by nobody else, and fields decoded by a crate.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const PRIORITY_UPDATE: u8 = 16;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;
pub(crate) const WITH_PRIORITY: u8 = 32;

/// A frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

pub(crate) fn settings(list: &[(u16, u32)]) -> Vec<u8> {
    let pairs = list.iter().flat_map(|(number, value)| {
        let (number, value) = (number.to_be_bytes(), value.to_be_bytes());
        number.into_iter().chain(value)
    });
    frame(SETTINGS, 0, 0, &pairs.collect::<Vec<_>>())
}

pub(crate) fn window_update(stream: u32, by: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &by.to_be_bytes())
}

pub(crate) fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())
}

/// What every client begins with.
pub(crate) fn hello() -> Vec<u8> {
    [PREFACE, &settings(&[])].concat()
}

/// A header block in which every field is spelt out (RFC 7541, section 6.2.2).
pub(crate) fn block<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            let mut left = text.len();
            if left < 127 {
                block.push(left as u8);
            } else {
                block.push(127);
                left -= 127;
                while left >= 128 {
                    block.push(left as u8 | 128);
                    left /= 128;
                }
                block.push(left as u8);
            }
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// The fields of a request, and what is to come after them.
pub(crate) fn fields<'a>(
    method: &'a str,
    path: &'a str,
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        (":method", method),
        (":scheme", "http"),
        (":path", path),
        (":authority", "h"),
    ];
    fields.extend(more);
    fields
}

/// A request without a body.
pub(crate) fn request(stream: u32, method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    frame(
        HEADERS,
        END_STREAM | END_HEADERS,
        stream,
        &block(fields(method, path, more)),
    )
}

pub(crate) fn get(stream: u32, path: &str) -> Vec<u8> {
    request(stream, "GET", path, &[])
}

/// What has come of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// END_STREAM has come.
    pub(crate) is_whole: bool,
    /// With this code, the first time.
    pub(crate) reset: Option<u32>,
}

/// How many streams that it has reset an end remembers at least: to what comes of one of them it says nothing more. It cannot know all of
/// them for ever, and may call others closed once more (RFC 9113, section 5.1).
const REMEMBERED: usize = 8;

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(known, _)| known == name)?;
        Some(&field.1)
    }

    pub(crate) fn status(&self) -> u16 {
        self.field(":status")
            .map_or(0, |status| status.parse().unwrap())
    }
}

/// What a server has sent.
#[derive(Default)]
pub(crate) struct Heard {
    unread: Vec<u8>,
    decoder: httlib_hpack::Decoder<'static>,
    /// A header block that is not whole: of which stream, and whether that ends with it.
    block: Option<(u32, bool, Vec<u8>)>,
    pub(crate) answers: BTreeMap<u32, Answer>,
    /// Streams in the order in which they were reset.
    resets: Vec<u32>,
    /// DATA frames in the order in which they came, each with its length.
    pub(crate) data: Vec<(u32, usize)>,
    pub(crate) settings: BTreeMap<u16, u32>,
    pub(crate) settings_acks: usize,
    pub(crate) pongs: Vec<Vec<u8>>,
    /// The last stream, and the code.
    pub(crate) go_away: Option<(u32, u32)>,
    /// By stream, how much more may be sent.
    pub(crate) granted: BTreeMap<u32, u64>,
    /// The longest payload that this end has said it takes.
    pub(crate) takes: Option<usize>,
}

impl Heard {
    /// Reads whatever is whole of what has come.
    pub(crate) fn read(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
        while let Some(header) = self.unread.first_chunk::<9>() {
            let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
            let (kind, flags) = (header[3], header[4]);
            let stream = u32::from_be_bytes([header[5], header[6], header[7], header[8]]);
            if self.unread.len() < 9 + length {
                return;
            }
            let most = self.takes.unwrap_or(16_384);
            assert!(length <= most, "a frame of {length} bytes");
            let rest = self.unread.split_off(9 + length);
            let frame = std::mem::replace(&mut self.unread, rest);
            self.frame(kind, flags, stream, &frame[9..]);
        }
    }

    /// Whether a frame has begun to come and is not whole.
    pub(crate) fn is_cut(&self) -> bool {
        !self.unread.is_empty()
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        assert!(
            self.block.is_none() || kind == CONTINUATION,
            "nothing comes between the frames of a block"
        );
        let number = |at: usize| u32::from_be_bytes(*payload[at..].first_chunk().unwrap());
        match kind {
            DATA => {
                self.data.push((stream, payload.len()));
                let answer = self.answers.get_mut(&stream).expect("HEADERS come first");
                assert!(
                    !answer.is_whole && answer.reset.is_none(),
                    "it is over: {answer:?}"
                );
                answer.body.extend_from_slice(payload);
                answer.is_whole = flags & END_STREAM != 0;
            }
            HEADERS => {
                self.block = Some((stream, flags & END_STREAM != 0, payload.to_vec()));
                self.end_block(flags);
            }
            CONTINUATION => {
                let block = self.block.as_mut().expect("HEADERS come first");
                assert_eq!(block.0, stream);
                block.2.extend_from_slice(payload);
                self.end_block(flags);
            }
            RST_STREAM => {
                let answer = self.answers.entry(stream).or_default();
                answer.reset.get_or_insert(number(0));
                let mut latest = self.resets.iter().rev().take(REMEMBERED);
                assert!(latest.all(|reset| *reset != stream), "once is enough");
                self.resets.push(stream);
            }
            SETTINGS if flags & ACK != 0 => self.settings_acks += 1,
            SETTINGS => {
                for setting in payload.chunks(6) {
                    let value = u32::from_be_bytes(*setting[2..].first_chunk().unwrap());
                    let number = u16::from_be_bytes([setting[0], setting[1]]);
                    self.settings.insert(number, value);
                }
            }
            PING if flags & ACK != 0 => self.pongs.push(payload.to_vec()),
            GOAWAY => self.go_away = Some((number(0), number(4))),
            WINDOW_UPDATE => *self.granted.entry(stream).or_default() += u64::from(number(0)),
            kind => panic!("a frame of kind {kind}"),
        }
    }

    fn end_block(&mut self, flags: u8) {
        if flags & END_HEADERS == 0 {
            return;
        }
        let (stream, is_last, mut block) = self.block.take().unwrap();
        let mut fields = Vec::new();
        self.decoder
            .decode(&mut block, &mut fields)
            .expect("a block");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let answer = self.answers.entry(stream).or_default();
        assert!(answer.fields.is_empty(), "one head is enough");
        answer.fields = fields
            .into_iter()
            .map(|(name, value, _)| (text(name), text(value)))
            .collect();
        answer.is_whole = is_last;
    }
}
