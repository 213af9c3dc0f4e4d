//! What a torrent consists of (BEP 3, *metainfo files*): names, lengths, and the hash of each piece.

mod make;
mod parse;

use std::ops::Range;

use sha1::{Digest, Sha1};

pub(crate) use make::make;
pub(crate) use parse::parse;

use super::wire::{BLOCK_BYTES, Block, Hash};

/// So many bytes of metainfo are read at the most.
pub(crate) const MOST_BYTES: usize = 16 << 20;
/// A piece is kept in memory until its hash is known.
const LONGEST_PIECE: u32 = 16 << 20;
/// Each file is kept open.
const MOST_FILES: usize = 1024;

/// Why something is no metainfo.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It is not bencoded, nor as deep as a torrent is, or something of it is missing.
    #[error("this is no torrent: {0}")]
    Encoding(String),
    /// It is larger than is read.
    #[error("it is larger than {} MiB, and no torrent", MOST_BYTES >> 20)]
    TooLarge,
    /// A name is none that may be a file's in the folder.
    #[error("the name '{0}' leads out of the folder, or is none of a file")]
    Name(String),
    /// Two files would be one, or a file a folder too.
    #[error("'{0}' is in it twice")]
    Twice(String),
    /// Figures that cannot be, or that are more than this peer does.
    #[error("{0}")]
    Figures(&'static str),
}

/// A file of a torrent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileEntry {
    /// Names of folders, and its own; each is one name, and none leads anywhere else.
    pub(crate) path: Vec<String>,
    /// In bytes.
    pub(crate) length: u64,
}

/// A torrent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metainfo {
    /// Its tracker's URL.
    pub(crate) announce: Option<String>,
    /// What it is known by: the SHA-1 of its `info`, as it is written.
    pub(crate) info_hash: Hash,
    /// In bytes; the last one may be shorter.
    piece_length: u32,
    hashes: Vec<Hash>,
    /// One after the other, without gaps.
    pub(crate) files: Vec<FileEntry>,
    /// Of all files, in bytes.
    pub(crate) length: u64,
}

/// Part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Which of the torrent's files.
    pub(crate) file: usize,
    /// Where it begins in that.
    pub(crate) offset: u64,
    pub(crate) length: usize,
}

impl Metainfo {
    /// How many pieces there are.
    pub(crate) fn pieces(&self) -> u32 {
        u32::try_from(self.hashes.len()).unwrap_or(u32::MAX)
    }

    /// A piece's length in bytes; none, where there is none.
    pub(crate) fn piece_bytes(&self, piece: u32) -> u32 {
        if piece >= self.pieces() {
            return 0;
        }
        let rest = self.length - self.begin(piece);
        rest.min(self.piece_length.into()) as u32
    }

    /// In how many blocks a piece is asked for.
    pub(crate) fn blocks(&self, piece: u32) -> u32 {
        self.piece_bytes(piece).div_ceil(BLOCK_BYTES)
    }

    /// One of them.
    pub(crate) fn block(&self, piece: u32, number: u32) -> Block {
        let begin = number * BLOCK_BYTES;
        Block {
            piece,
            begin,
            length: BLOCK_BYTES.min(self.piece_bytes(piece).saturating_sub(begin)),
        }
    }

    /// Whether a block lies in its piece, and is no larger than blocks are.
    pub(crate) fn has(&self, block: Block) -> bool {
        let end = block.begin.checked_add(block.length);
        let fits = end.is_some_and(|end| end <= self.piece_bytes(block.piece));
        fits && (1..=BLOCK_BYTES).contains(&block.length)
    }

    /// Whether a piece's bytes are what the torrent says.
    pub(crate) fn is_piece(&self, piece: u32, data: &[u8]) -> bool {
        let hash = self.hashes.get(piece as usize);
        hash.is_some_and(|hash| Sha1::digest(data)[..] == *hash)
    }

    /// Where part of a piece lies in the files.
    pub(crate) fn spans(&self, piece: u32, part: Range<u32>) -> Vec<Span> {
        let (mut from, mut left) = (self.begin(piece) + u64::from(part.start), part.len() as u64);
        let mut spans = Vec::new();
        for (file, entry) in self.files.iter().enumerate() {
            if left == 0 {
                break;
            }
            if from >= entry.length {
                from -= entry.length;
                continue;
            }
            let length = left.min(entry.length - from);
            spans.push(Span {
                file,
                offset: from,
                length: length as usize,
            });
            (from, left) = (0, left - length);
        }
        spans
    }

    fn begin(&self, piece: u32) -> u64 {
        u64::from(piece) * u64::from(self.piece_length)
    }
}

/// A hash as people write it.
pub(crate) fn hexadecimal(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
