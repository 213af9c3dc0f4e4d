//! One direction of a connection: its bytes in their order, whatever order the segments came in (RFC 9293, section 3.10.7.4).

use std::collections::BTreeMap;

use crate::segment::Segment;

/// Segments that may wait for one before them; if it does not come by then, the capture has missed it.
const MOST_WAITING: usize = 1024;

/// Bytes that are next in their order; those after the captured ones are known only by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) captured: &'a [u8],
    pub(crate) missing: usize,
}

impl<'a> Piece<'a> {
    fn of(segment: &Segment<'a>) -> Self {
        Self {
            captured: segment.payload,
            missing: segment.payload_bytes - segment.payload.len(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.captured.len() + self.missing
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes up to so many bytes off its beginning; gives how many.
    pub(crate) fn skip(&mut self, bytes: u64) -> u64 {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(self.len());
        let captured = bytes.min(self.captured.len());
        self.captured = &self.captured[captured..];
        self.missing -= bytes - captured;
        bytes as u64
    }
}

/// What a segment brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Brought {
    /// Bytes of it had been seen before.
    pub(crate) retransmission: bool,
    /// The capture has missed bytes before it.
    pub(crate) hole: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Stream {
    /// The number of the next byte.
    next: Option<u32>,
    /// Segments that came before the next byte did, by how far behind it they were when the first of them came.
    waiting: BTreeMap<u64, Waiting>,
    /// Bytes that were in order so far: where `next` is, without its wrapping.
    done: u64,
}

#[derive(Debug, Clone)]
struct Waiting {
    captured: Vec<u8>,
    missing: usize,
}

impl Stream {
    /// Whether a SYN with this number opens another connection than the one that is known.
    pub(crate) fn is_another(&self, sequence: u32) -> bool {
        self.next
            .is_some_and(|next| self.done > 0 || next != sequence.wrapping_add(1))
    }

    /// Takes a segment; `show` is called with all that is now next in order.
    pub(crate) fn take(
        &mut self,
        segment: &Segment<'_>,
        mut show: impl FnMut(Piece<'_>),
    ) -> Brought {
        let mut brought = Brought::default();
        let mut sequence = segment.sequence;
        if segment.syn {
            brought.retransmission = self.next.is_some();
            sequence = sequence.wrapping_add(1);
        }
        let next = *self.next.get_or_insert(sequence);
        let mut piece = Piece::of(segment);
        if piece.is_empty() {
            return brought;
        }
        let behind = sequence.wrapping_sub(next).cast_signed();
        if behind < 0 {
            // A byte that was acknowledged asks whether the other end is still there (RFC 9293, section 3.8.4).
            let probe = behind == -1 && piece.len() <= 1;
            brought.retransmission |= !probe;
            piece.skip(u64::from(behind.unsigned_abs()));
            if piece.is_empty() {
                return brought;
            }
        }
        if behind > 0 {
            let at = self.done + u64::from(behind.unsigned_abs());
            let kept = Waiting {
                captured: piece.captured.to_vec(),
                missing: piece.missing,
            };
            brought.retransmission |= self.waiting.insert(at, kept).is_some();
            if self.waiting.len() <= MOST_WAITING {
                return brought;
            }
            brought.hole = true;
            let first = self
                .waiting
                .first_key_value()
                .map_or(at, |(first, _)| *first);
            self.advance(first - self.done);
        } else {
            self.advance(piece.len() as u64);
            show(piece);
        }
        while let Some(entry) = self.waiting.first_entry()
            && *entry.key() <= self.done
        {
            let (at, waiting) = entry.remove_entry();
            let mut piece = Piece {
                captured: &waiting.captured,
                missing: waiting.missing,
            };
            piece.skip(self.done - at);
            if !piece.is_empty() {
                self.advance(piece.len() as u64);
                show(piece);
            }
        }
        brought
    }

    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        // Numbers are modulo 2^32.
        self.next = self.next.map(|next| next.wrapping_add(bytes as u32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn segment(sequence: u32, payload: &[u8]) -> Segment<'_> {
        Segment {
            at: Duration::ZERO,
            frame_bytes: 0,
            source: ([127, 0, 0, 1], 1).into(),
            destination: ([127, 0, 0, 1], 2).into(),
            sequence,
            syn: false,
            ack: true,
            fin: false,
            reset: false,
            payload_bytes: payload.len(),
            payload,
        }
    }

    /// All that was shown, and how many segments brought bytes that were seen before.
    fn read(segments: &[Segment<'_>]) -> (String, usize) {
        let (mut stream, mut text, mut again) = (Stream::default(), String::new(), 0);
        for segment in segments {
            let brought = stream.take(segment, |piece| {
                text.push_str(std::str::from_utf8(piece.captured).unwrap());
                text.push_str(&".".repeat(piece.missing));
            });
            assert!(!brought.hole);
            again += usize::from(brought.retransmission);
        }
        (text, again)
    }

    #[test]
    fn bytes_come_in_their_order_and_once() {
        let wrapping = u32::MAX - 2;
        for first in [0, 5, wrapping] {
            let at = |offset: u32, payload| segment(first.wrapping_add(offset), payload);
            let syn = Segment {
                syn: true,
                ..segment(first.wrapping_sub(1), b"")
            };
            let plain = [syn, at(0, b"one "), at(4, b"two "), at(8, b"three")];
            assert_eq!(read(&plain), ("one two three".into(), 0));
            let late = [syn, at(8, b"three"), at(4, b"two "), at(0, b"one ")];
            assert_eq!(read(&late), ("one two three".into(), 0));
            let twice = [
                syn,
                syn,
                at(0, b"one "),
                at(0, b"one two "),
                at(8, b"three"),
                at(8, b"three"),
            ];
            assert_eq!(read(&twice), ("one two three".into(), 3));
            let late_twice = [
                syn,
                at(8, b"three"),
                at(8, b"three"),
                at(4, b"two th"),
                at(0, b"one "),
            ];
            assert_eq!(read(&late_twice), ("one two three".into(), 1));
        }
    }

    #[test]
    fn a_probe_is_no_retransmission() {
        let segments = [
            segment(10, b"abc"),
            segment(12, b"c"),
            segment(13, b"d"),
            segment(13, b""),
        ];
        assert_eq!(read(&segments), ("abcd".into(), 0));
    }

    #[test]
    fn what_was_not_captured_counts_by_its_number() {
        let cut = Segment {
            payload_bytes: 5,
            ..segment(0, b"ab")
        };
        assert_eq!(read(&[cut, segment(5, b"f")]), ("ab...f".into(), 0));
        // The captured start is old, the rest is new, and all of it was cut off.
        let overlapping = Segment {
            payload_bytes: 7,
            ..segment(4, b"e")
        };
        assert_eq!(read(&[cut, overlapping]), ("ab.........".into(), 1));
    }

    #[test]
    fn what_never_comes_is_a_hole_in_the_end() {
        let mut stream = Stream::default();
        stream.take(&segment(0, b"a"), |_| {});
        let (mut holes, mut shown) = (0, 0);
        for n in 0..=MOST_WAITING as u32 {
            let brought = stream.take(&segment(2 + n, b"x"), |piece| shown += piece.len());
            holes += usize::from(brought.hole);
        }
        assert_eq!((holes, shown), (1, MOST_WAITING + 1));
    }

    proptest::proptest! {
        #[test]
        fn any_order_of_segments_gives_the_bytes(
            first: u32,
            cuts in proptest::collection::vec((0..50_usize, 1..20_usize), 0..40),
        ) {
            let all: Vec<u8> = (0..60).collect();
            let at = |from: usize, to: usize| segment(first.wrapping_add(from as u32), &all[from..to.min(60)]);
            let mut stream = Stream::default();
            stream.take(&Segment { syn: true, ..segment(first.wrapping_sub(1), b"") }, |_| {});
            let mut shown = Vec::new();
            for (from, length) in cuts {
                stream.take(&at(from, from + length), |piece| shown.extend_from_slice(piece.captured));
            }
            stream.take(&at(0, 60), |piece| shown.extend_from_slice(piece.captured));
            proptest::prop_assert_eq!(shown, all);
        }
    }
}
