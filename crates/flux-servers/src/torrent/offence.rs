//! Why another peer is dropped.

/// What another peer did, or did not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Offence {
    /// Its first bytes are no handshake.
    #[error("it does not begin with BitTorrent's handshake")]
    NoHandshake,
    /// It closed before its handshake was whole.
    #[error("its handshake is cut")]
    CutHandshake,
    /// Its handshake names another info hash.
    #[error("it is here for another torrent")]
    OtherTorrent,
    /// It has this peer's own id.
    #[error("it is this peer itself")]
    Itself,
    /// There is another connection to it.
    #[error("it is connected already")]
    Twice,
    /// Its data were wrong before.
    #[error("it has sent wrong data before")]
    Banned,
    /// There are as many peers as there may be.
    #[error("there are enough peers")]
    Crowded,
    /// It closed its connection, or that broke.
    #[error("its connection ended")]
    Gone,
    /// A message is longer than any that is expected of it.
    #[error("a message of {0} bytes is too long")]
    TooLong(u32),
    /// A message has a type that nobody has agreed on.
    #[error("a message has the unknown type {0}")]
    UnknownMessage(u8),
    /// A message is not as long as those of its type are.
    #[error("a message of type {0} has a wrong length")]
    WrongLength(u8),
    /// A bitfield does not fit the torrent.
    #[error("its bitfield has a wrong length, or bits for pieces that are not there")]
    WrongBitfield,
    /// It speaks of a piece that is not there.
    #[error("there is no piece {0}")]
    NoSuchPiece(u32),
    /// It asks for bytes that are in no piece, or for more at a time than is usual.
    #[error("it asks for a block that is not in its piece, or is larger than 16 KiB")]
    NoSuchBlock,
    /// It asks for a piece that this peer does not have.
    #[error("it asks for piece {0}, which it was not offered")]
    NotOffered(u32),
    /// It asks for more than it could be waiting for.
    #[error("it asks for too much at a time")]
    Flood,
    /// It sends a block that it was not asked for.
    #[error("it sends what it was not asked for")]
    Unasked,
    /// The hash of a piece that it sent is not the torrent's.
    #[error("piece {0} is not as the torrent says")]
    WrongData(u32),
    /// It was asked for blocks long ago and sends none; or it says nothing at all.
    #[error("nothing has come of it for too long")]
    Silent,
    /// It takes nothing of what it is sent.
    #[error("it does not read")]
    DoesNotRead,
}
