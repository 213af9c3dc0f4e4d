//! A payload that is longer than a frame may be, cut into DATA frames (RFC 9113, section 6.1).

use crate::h2::frame::{FrameHeader, HEADER_BYTES, Kind, flag};

/// The header of a frame, as it goes on the wire.
pub type Header = [u8; HEADER_BYTES];

/// How the payload of [`Want::Send`](super::Want::Send) is cut into frames. The header of the first stands before it or has left
/// already; each other begins with its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frames {
    pub(super) stream: u32,
    /// What is left of the payload of the first, in bytes.
    pub(super) first: u32,
    /// The payload of each other, but for the last, which may be shorter.
    pub(super) each: u32,
    /// What is left of all payloads.
    pub(super) payload: u32,
    /// The last of them ends its stream.
    pub(super) ends_stream: bool,
}

/// How far frames have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FramesSent {
    /// Bytes of payload.
    pub payload: u64,
    /// A header that has begun to leave, and how many bytes of it have.
    pub header: Option<(Header, usize)>,
}

impl Frames {
    /// Whether there is but one: nothing has to be put in between.
    pub fn is_one(&self) -> bool {
        self.first == self.payload
    }

    /// The frames, in their order: the header of each, but for the first, and how long its payload is.
    pub fn iter(&self) -> impl Iterator<Item = (Option<Header>, usize)> + use<> {
        let frames = *self;
        let mut done = 0;
        std::iter::from_fn(move || {
            let left = frames.payload - done;
            let (header, length) = match (done, left) {
                (_, 0) => return None,
                (0, _) => (None, frames.first),
                _ => {
                    let length = frames.each.min(left);
                    (Some(frames.header(length, length == left)), length)
                }
            };
            done += length;
            Some((header, length as usize))
        })
    }

    fn header(&self, length: u32, is_last: bool) -> Header {
        let header = FrameHeader {
            length,
            kind: Kind::Data,
            flags: match is_last && self.ends_stream {
                true => flag::END_STREAM,
                false => 0,
            },
            stream: self.stream,
        };
        header.bytes()
    }

    /// How many bytes they are on the wire, without the header of the first.
    pub fn bytes(&self) -> u64 {
        let headers = (self.payload - self.first).div_ceil(self.each.max(1));
        u64::from(self.payload) + u64::from(headers) * HEADER_BYTES as u64
    }

    /// How far they are when so many of those bytes have left.
    pub fn after(&self, bytes: u64) -> FramesSent {
        let (mut payload, mut left) = (0, bytes);
        for (header, length) in self.iter() {
            if let Some(header) = header {
                let of_header = left.min(HEADER_BYTES as u64);
                if of_header == 0 {
                    break;
                }
                left -= of_header;
                if left == 0 {
                    let header = Some((header, of_header as usize));
                    return FramesSent { payload, header };
                }
            }
            let of_payload = left.min(length as u64);
            payload += of_payload;
            left -= of_payload;
            if left == 0 {
                break;
            }
        }
        FramesSent::payload(payload)
    }
}

impl FramesSent {
    /// So many bytes of payload, and no header that has begun.
    pub fn payload(payload: u64) -> Self {
        Self {
            payload,
            header: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written out, they are a header and a payload in turn; and wherever that is cut, what has left and what has not are the whole.
    #[test]
    fn can_be_cut_anywhere() {
        for (first, each, payload) in [(5, 5, 5), (3, 5, 18), (5, 5, 10), (1, 4, 6), (7, 3, 8)] {
            let frames = Frames {
                stream: 3,
                first,
                each,
                payload,
                ends_stream: true,
            };
            let mut kinds = Vec::new();
            for (header, length) in frames.iter() {
                kinds.extend(header.iter().flatten().map(|_| false));
                kinds.extend(std::iter::repeat_n(true, length));
            }
            assert_eq!(kinds.len() as u64, frames.bytes());
            assert_eq!(frames.is_one(), first == payload);
            let last = frames.iter().last().and_then(|(header, _)| header);
            assert!(last.is_none_or(|header| header[4] == flag::END_STREAM && header[8] == 3));
            for cut in 0..=kinds.len() {
                let sent = frames.after(cut as u64);
                let of_payload = kinds[..cut].iter().filter(|is_payload| **is_payload);
                assert_eq!(sent.payload, of_payload.count() as u64, "cut at {cut}");
                let headers = kinds[..cut]
                    .iter()
                    .rev()
                    .take_while(|is_payload| !**is_payload);
                let begun = headers.count();
                assert_eq!(
                    sent.header.map_or(0, |(_, bytes)| bytes),
                    begun,
                    "cut at {cut}"
                );
            }
        }
    }
}
