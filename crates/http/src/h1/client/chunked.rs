//! The chunked transfer coding, decoded in place.

use super::error::Error;
use super::input::take;

/// The most bytes of extensions in one chunk line, and of the trailer section.
const MAX_SIDE_BYTES: u32 = 16 * 1024;
/// The largest chunk that is believed.
const MAX_CHUNK_BYTES: u64 = 1 << 60;

/// Where in the coding the next byte falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunked {
    /// In the size, `digits` of it read.
    Size {
        value: u64,
        digits: u8,
    },
    /// In what follows the size up to the line's CR; `side` bytes of it.
    Extension {
        value: u64,
        side: u32,
    },
    /// At the LF of the size's line.
    SizeLf {
        value: u64,
    },
    /// In the data.
    Data {
        left: u64,
    },
    /// At the CR, then the LF after the data.
    DataCr,
    DataLf,
    /// In the trailer section, at the start of a line.
    TrailerStart {
        side: u32,
    },
    /// In a field line of it.
    Trailer {
        side: u32,
    },
    /// At the LF of a field line, then of the empty line.
    TrailerLf {
        side: u32,
    },
    LastLf,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    More,
    Data(&'a [u8]),
    End,
}

impl Default for Chunked {
    fn default() -> Self {
        Self::Size {
            value: 0,
            digits: 0,
        }
    }
}

impl Chunked {
    /// Uses bytes off the front of `input`, up to a piece of data or the end.
    pub(super) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Piece<'a>, Error> {
        loop {
            if let Self::Data { left } = *self
                && left > 0
            {
                let data = take(input, left);
                if data.is_empty() {
                    return Ok(Piece::More);
                }
                self.skip(data.len() as u64);
                return Ok(Piece::Data(data));
            }
            let Some((&byte, rest)) = input.split_first() else {
                return Ok(Piece::More);
            };
            *input = rest;
            let ended = byte == b'\n' && matches!(self, Self::TrailerStart { .. } | Self::LastLf);
            *self = self.step(byte)?;
            if ended {
                return Ok(Piece::End);
            }
        }
    }

    /// How much data of the present chunk is still to come.
    pub(super) fn data_left(self) -> u64 {
        match self {
            Self::Data { left } => left,
            _ => 0,
        }
    }

    /// `bytes` of the present chunk's data are dealt with.
    pub(super) fn skip(&mut self, bytes: u64) {
        if let Self::Data { left } = self {
            *left = left.saturating_sub(bytes);
            if *left == 0 {
                *self = Self::DataCr;
            }
        }
    }

    /// A line may end without its CR, as curl has it: where it ends is not in doubt.
    fn step(self, byte: u8) -> Result<Self, Error> {
        match (self, byte) {
            (Self::Size { value, digits }, _) => size(value, digits, byte),
            (Self::Extension { value, .. }, b'\r') => Ok(Self::SizeLf { value }),
            (Self::Extension { value, .. } | Self::SizeLf { value }, b'\n') => {
                Ok(after_size(value))
            }
            (Self::Extension { value, side }, _) => Ok(Self::Extension {
                value,
                side: side_byte(side, byte, Error::BadChunkSize)?,
            }),
            (Self::SizeLf { .. }, _) => Err(Error::BadChunkSize),
            (Self::Data { .. } | Self::DataCr, b'\r') => Ok(Self::DataLf),
            (Self::Data { .. } | Self::DataCr | Self::DataLf, b'\n') => Ok(Self::default()),
            (Self::Data { .. } | Self::DataCr | Self::DataLf, _) => Err(Error::BadChunkEnd),
            (Self::TrailerStart { .. }, b'\r') => Ok(Self::LastLf),
            (Self::TrailerStart { .. } | Self::LastLf, b'\n') => Ok(Self::default()),
            (Self::TrailerStart { .. }, b':') | (Self::TrailerStart { side: 0 }, b' ' | b'\t') => {
                Err(Error::BadTrailer)
            }
            (Self::Trailer { side }, b'\r') => Ok(Self::TrailerLf { side }),
            (Self::Trailer { side } | Self::TrailerLf { side }, b'\n') => {
                Ok(Self::TrailerStart { side })
            }
            (Self::TrailerStart { side } | Self::Trailer { side }, _) => Ok(Self::Trailer {
                side: side_byte(side, byte, Error::BadTrailer)?,
            }),
            (Self::TrailerLf { .. } | Self::LastLf, _) => Err(Error::BadTrailer),
        }
    }
}

fn after_size(value: u64) -> Chunked {
    match value {
        0 => Chunked::TrailerStart { side: 0 },
        left => Chunked::Data { left },
    }
}

fn size(value: u64, digits: u8, byte: u8) -> Result<Chunked, Error> {
    let digit = match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ if digits == 0 => return Err(Error::BadChunkSize),
        b'\r' => return Ok(Chunked::SizeLf { value }),
        b'\n' => return Ok(after_size(value)),
        b';' | b' ' | b'\t' => return Ok(Chunked::Extension { value, side: 1 }),
        _ => return Err(Error::BadChunkSize),
    };
    let value = value
        .checked_mul(16)
        .map(|value| value | u64::from(digit))
        // Leading zeros are no reason to go on for ever.
        .filter(|value| *value <= MAX_CHUNK_BYTES && digits < 32)
        .ok_or(Error::BadChunkSize)?;
    Ok(Chunked::Size {
        value,
        digits: digits + 1,
    })
}

/// One more byte that carries nothing for us: bounded, and not NUL.
fn side_byte(side: u32, byte: u8, error: Error) -> Result<u32, Error> {
    if side == MAX_SIDE_BYTES || byte == 0 {
        return Err(error);
    }
    Ok(side + 1)
}
