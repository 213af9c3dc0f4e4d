//! What is at hand of the body of an answer.

use std::ops::Range;
use std::sync::Arc;

use super::work::Source;

/// What is at hand of the body of an answer.
#[derive(Debug, Default)]
pub(super) enum AtHand {
    #[default]
    Nothing,
    /// These bytes, which are the file's from `start` on.
    Memory { bytes: Arc<[u8]>, start: u64 },
    /// The file's up to `end`, to be sent from there.
    File { end: u64 },
    /// Nothing at present; the source is asked for more.
    Source(Box<dyn Source>),
    /// These bytes, which are the file's from `start` on, and then what the source gives.
    Piece {
        bytes: Arc<[u8]>,
        start: u64,
        source: Box<dyn Source>,
    },
}

impl AtHand {
    /// Whether bytes from `start` on are at hand.
    #[inline]
    pub(super) fn has(&self, start: u64) -> bool {
        match self {
            AtHand::Memory {
                bytes,
                start: first,
            } => (*first..first + bytes.len() as u64).contains(&start),
            AtHand::Source(_) | AtHand::Piece { .. } => true,
            // By now it may be gone from memory.
            AtHand::Nothing | AtHand::File { .. } => false,
        }
    }

    /// Which of the bytes in memory are those of `range`, and where they are; nothing where they are a file's.
    #[inline]
    pub(super) fn in_memory(&self, range: &Range<u64>) -> Option<(&Arc<[u8]>, Range<usize>)> {
        let (AtHand::Memory { bytes, start } | AtHand::Piece { bytes, start, .. }) = self else {
            return None;
        };
        let within = |offset: u64| {
            let offset = usize::try_from(offset.saturating_sub(*start));
            offset.unwrap_or(usize::MAX).min(bytes.len())
        };
        Some((bytes, within(range.start)..within(range.end)))
    }

    /// What was asked for has come of a source.
    pub(super) fn take_piece(&mut self, bytes: Arc<[u8]>, start: u64) {
        *self = match std::mem::take(self) {
            AtHand::Source(source) => AtHand::Piece {
                bytes,
                start,
                source,
            },
            at_hand => at_hand,
        };
    }

    /// All before `start` has left: of a source, more is to be asked for.
    #[inline]
    pub(super) fn left_up_to(&mut self, end: u64) {
        if let AtHand::Piece { bytes, start, .. } = self
            && end >= *start + bytes.len() as u64
            && let AtHand::Piece { source, .. } = std::mem::take(self)
        {
            *self = AtHand::Source(source);
        }
    }
}
