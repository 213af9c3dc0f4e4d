//! What peers say to each other, as bytes (BEP 3, *peer protocol*): a handshake, then messages with their lengths in front.

use super::offence::Offence;

/// How many bytes are asked for at a time; others close connections of whoever asks for more (BEP 3, `request`).
pub(crate) const BLOCK_BYTES: u32 = 16 * 1024;

/// A handshake's length.
pub(crate) const HANDSHAKE_BYTES: usize = 68;

/// What a handshake begins with: the protocol's name, and its length.
const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";

/// A SHA-1 hash.
pub(crate) type Hash = [u8; 20];
/// What a peer calls itself.
pub(crate) type PeerId = [u8; 20];

/// What a connection begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handshake {
    /// Which torrent it is about.
    pub(crate) info_hash: Hash,
    /// Who speaks.
    pub(crate) peer_id: PeerId,
}

impl Handshake {
    /// As it is sent. No extension is offered.
    pub(crate) fn bytes(&self) -> [u8; HANDSHAKE_BYTES] {
        let mut bytes = [0; HANDSHAKE_BYTES];
        bytes[..20].copy_from_slice(PROTOCOL);
        bytes[28..48].copy_from_slice(&self.info_hash);
        bytes[48..].copy_from_slice(&self.peer_id);
        bytes
    }
}

/// Part of a piece, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Block {
    pub(crate) piece: u32,
    /// Where it begins in its piece.
    pub(crate) begin: u32,
    pub(crate) length: u32,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// Nothing but that somebody is there.
    KeepAlive,
    /// Requests will not be answered.
    Choke,
    /// They will.
    Unchoke,
    /// The other has something that this one lacks.
    Interested,
    /// It has not.
    NotInterested,
    /// A piece is there, and its hash is right.
    Have(u32),
    /// All pieces that are there.
    Bitfield(Vec<u8>),
    /// A block is asked for.
    Request(Block),
    /// A block.
    Piece {
        /// Which piece it is of.
        piece: u32,
        /// Where it begins in that.
        begin: u32,
        /// Its bytes.
        data: Vec<u8>,
    },
    /// A block is not asked for any more.
    Cancel(Block),
}

impl Message {
    /// Appends it as it is sent.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::KeepAlive => out.extend([0; 4]),
            Self::Choke => head(out, 0, 0),
            Self::Unchoke => head(out, 1, 0),
            Self::Interested => head(out, 2, 0),
            Self::NotInterested => head(out, 3, 0),
            Self::Have(piece) => {
                head(out, 4, 4);
                out.extend(piece.to_be_bytes());
            }
            Self::Bitfield(bytes) => {
                head(out, 5, bytes.len());
                out.extend(bytes);
            }
            Self::Request(block) => {
                head(out, 6, 12);
                block.write(out);
            }
            Self::Piece { piece, begin, data } => {
                write_piece_head(out, *piece, *begin, data.len());
                out.extend(data);
            }
            Self::Cancel(block) => {
                head(out, 8, 12);
                block.write(out);
            }
        }
    }

    /// What bytes behind a length say; there is at least one.
    fn read(kind: u8, body: &[u8]) -> Result<Self, Offence> {
        let wrong = Offence::WrongLength(kind);
        let block = || numbers(body).map(Block::from).ok_or(wrong);
        match kind {
            0..=3 if !body.is_empty() => Err(wrong),
            0 => Ok(Self::Choke),
            1 => Ok(Self::Unchoke),
            2 => Ok(Self::Interested),
            3 => Ok(Self::NotInterested),
            4 => {
                let piece = body.try_into().map_err(|_| wrong)?;
                Ok(Self::Have(u32::from_be_bytes(piece)))
            }
            5 => Ok(Self::Bitfield(body.to_vec())),
            6 => Ok(Self::Request(block()?)),
            7 => {
                let (head, data) = body.split_at_checked(8).ok_or(wrong)?;
                let [piece, begin] = numbers(head).ok_or(wrong)?;
                Ok(Self::Piece {
                    piece,
                    begin,
                    data: data.to_vec(),
                })
            }
            8 => Ok(Self::Cancel(block()?)),
            kind => Err(Offence::UnknownMessage(kind)),
        }
    }
}

/// Appends what stands in front of a block.
pub(crate) fn write_piece_head(out: &mut Vec<u8>, piece: u32, begin: u32, length: usize) {
    head(out, 7, 8 + length);
    out.extend(piece.to_be_bytes());
    out.extend(begin.to_be_bytes());
}

fn head(out: &mut Vec<u8>, kind: u8, length: usize) {
    let length = u32::try_from(length + 1).unwrap_or(u32::MAX);
    out.extend(length.to_be_bytes());
    out.push(kind);
}

/// Exactly so many numbers.
fn numbers<const COUNT: usize>(bytes: &[u8]) -> Option<[u32; COUNT]> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    let numbers: [[u8; 4]; COUNT] = numbers.try_into().ok()?;
    rest.is_empty().then(|| numbers.map(u32::from_be_bytes))
}

impl From<[u32; 3]> for Block {
    fn from([piece, begin, length]: [u32; 3]) -> Self {
        Self {
            piece,
            begin,
            length,
        }
    }
}

impl Block {
    fn write(&self, out: &mut Vec<u8>) {
        for number in [self.piece, self.begin, self.length] {
            out.extend(number.to_be_bytes());
        }
    }
}

/// What has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Received {
    /// Nothing but the connection itself.
    Connection,
    /// The other's handshake; once, and first.
    Handshake(Handshake),
    /// A message.
    Message(Message),
    /// Nothing more will.
    End(Offence),
}

/// Bytes of another peer on their way to become messages: it is told what has come, and says what that was.
///
/// It keeps no more than one message and what came with its end.
#[derive(Debug)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    /// How many of them are used up.
    used: usize,
    is_greeted: bool,
    /// No message that makes sense is longer.
    longest: u32,
    end: Option<Offence>,
}

impl Incoming {
    /// Of a peer with whom a torrent of so many pieces is shared.
    pub(crate) fn new(pieces: u32) -> Self {
        Self {
            bytes: Vec::new(),
            used: 0,
            is_greeted: false,
            longest: 1 + pieces.div_ceil(8).max(8 + BLOCK_BYTES),
            end: None,
        }
    }

    /// Takes bytes in.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.used);
        self.used = 0;
        self.bytes.extend(bytes);
    }

    /// The other has closed its side, or the connection has broken.
    pub(crate) fn end_of_input(&mut self) {
        self.end.get_or_insert(if self.is_greeted {
            Offence::Gone
        } else {
            Offence::CutHandshake
        });
    }

    /// Whether the next thing is whole, or it will never be.
    pub(crate) fn has_next(&self) -> bool {
        self.end.is_some()
            || self
                .length()
                .map_or(true, |length| self.rest().len() >= length)
    }

    /// The next thing, if it is whole.
    pub(crate) fn next(&mut self) -> Option<Received> {
        match self.take() {
            Ok(None) => self.end.map(Received::End),
            Ok(taken) => taken,
            Err(offence) => {
                self.end = Some(offence);
                // Nothing behind it means anything.
                self.used = self.bytes.len();
                Some(Received::End(offence))
            }
        }
    }

    fn take(&mut self) -> Result<Option<Received>, Offence> {
        let length = self.length()?;
        let Some(bytes) = self.bytes.get(self.used..self.used + length) else {
            return Ok(None);
        };
        let received = if !self.is_greeted {
            self.is_greeted = true;
            let mut handshake = Handshake {
                info_hash: [0; 20],
                peer_id: [0; 20],
            };
            handshake.info_hash.copy_from_slice(&bytes[28..48]);
            handshake.peer_id.copy_from_slice(&bytes[48..]);
            Received::Handshake(handshake)
        } else {
            Received::Message(match &bytes[4..] {
                [] => Message::KeepAlive,
                [kind, body @ ..] => Message::read(*kind, body)?,
            })
        };
        self.used += length;
        Ok(Some(received))
    }

    /// How long the next thing is, as far as one can tell: at least so long.
    fn length(&self) -> Result<usize, Offence> {
        let rest = self.rest();
        if !self.is_greeted {
            let begun = rest.len().min(PROTOCOL.len());
            return match rest[..begun] == PROTOCOL[..begun] {
                true => Ok(HANDSHAKE_BYTES),
                false => Err(Offence::NoHandshake),
            };
        }
        let Some(prefix) = rest.first_chunk::<4>() else {
            return Ok(4);
        };
        let length = u32::from_be_bytes(*prefix);
        if length > self.longest {
            return Err(Offence::TooLong(length));
        }
        Ok(4 + length as usize)
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.used..]
    }
}
