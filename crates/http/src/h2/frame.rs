//! Frames: what an HTTP/2 connection is made of (RFC 9113, sections 4 and 6).

/// What a client begins with (RFC 9113, section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How many bytes every frame begins with.
pub(crate) const HEADER_BYTES: usize = 9;
/// The longest payload that anybody takes who has not said otherwise, in bytes.
pub(crate) const SMALLEST_MAX_PAYLOAD: u32 = 1 << 14;
/// The longest payload that anybody may ask for, in bytes.
pub(crate) const LARGEST_MAX_PAYLOAD: u32 = (1 << 24) - 1;
/// What a window is at first, in bytes.
pub(crate) const FIRST_WINDOW: u32 = 65_535;
/// The largest window that there may be, in bytes.
pub(crate) const LARGEST_WINDOW: u32 = (1 << 31) - 1;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Data,
    Headers,
    Priority,
    ResetStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    /// RFC 9218, section 7.1.
    PriorityUpdate,
    /// To be ignored.
    Unknown,
}

impl Kind {
    pub(crate) const fn of(number: u8) -> Kind {
        match number {
            0 => Kind::Data,
            1 => Kind::Headers,
            2 => Kind::Priority,
            3 => Kind::ResetStream,
            4 => Kind::Settings,
            5 => Kind::PushPromise,
            6 => Kind::Ping,
            7 => Kind::GoAway,
            8 => Kind::WindowUpdate,
            9 => Kind::Continuation,
            0x10 => Kind::PriorityUpdate,
            _ => Kind::Unknown,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Kind::Data => 0,
            Kind::Headers => 1,
            Kind::Priority => 2,
            Kind::ResetStream => 3,
            Kind::Settings => 4,
            Kind::PushPromise => 5,
            Kind::Ping => 6,
            Kind::GoAway => 7,
            Kind::WindowUpdate => 8,
            Kind::Continuation => 9,
            Kind::PriorityUpdate => 0x10,
            Kind::Unknown => 0xff,
        }
    }
}

/// The bits that say more about a frame.
pub(crate) mod flag {
    pub(crate) const END_STREAM: u8 = 0x1;
    pub(crate) const ACK: u8 = 0x1;
    pub(crate) const END_HEADERS: u8 = 0x4;
    pub(crate) const PADDED: u8 = 0x8;
    pub(crate) const PRIORITY: u8 = 0x20;
}

/// The numbers of the settings (RFC 9113, section 6.5.2; RFC 9218, section 2.1).
pub(crate) mod setting {
    pub(crate) const ENABLE_PUSH: u16 = 0x2;
    pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 0x3;
    pub(crate) const INITIAL_WINDOW_SIZE: u16 = 0x4;
    pub(crate) const MAX_FRAME_SIZE: u16 = 0x5;
    pub(crate) const MAX_HEADER_LIST_SIZE: u16 = 0x6;
    pub(crate) const NO_RFC7540_PRIORITIES: u16 = 0x9;
}

macro_rules! codes {
    ($($name:ident = $code:literal $words:literal,)+) => {
        /// Why a stream or a connection ends (RFC 9113, section 7).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum ErrorCode {
            $(#[doc = $words] $name = $code,)+
        }

        impl ErrorCode {
            /// The error that a number means; one that nobody knows is an internal one.
            pub fn of(number: u32) -> ErrorCode {
                match number {
                    $($code => ErrorCode::$name,)+
                    _ => ErrorCode::InternalError,
                }
            }

            /// Its name in RFC 9113.
            pub fn name(self) -> &'static str {
                match self {
                    $(ErrorCode::$name => $words,)+
                }
            }
        }
    };
}

codes! {
    NoError = 0x0 "NO_ERROR",
    ProtocolError = 0x1 "PROTOCOL_ERROR",
    InternalError = 0x2 "INTERNAL_ERROR",
    FlowControlError = 0x3 "FLOW_CONTROL_ERROR",
    SettingsTimeout = 0x4 "SETTINGS_TIMEOUT",
    StreamClosed = 0x5 "STREAM_CLOSED",
    FrameSizeError = 0x6 "FRAME_SIZE_ERROR",
    RefusedStream = 0x7 "REFUSED_STREAM",
    Cancel = 0x8 "CANCEL",
    CompressionError = 0x9 "COMPRESSION_ERROR",
    ConnectError = 0xa "CONNECT_ERROR",
    EnhanceYourCalm = 0xb "ENHANCE_YOUR_CALM",
    InadequateSecurity = 0xc "INADEQUATE_SECURITY",
    Http11Required = 0xd "HTTP_1_1_REQUIRED",
}

/// What a frame begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// Of the payload, in bytes.
    pub(crate) length: u32,
    pub(crate) kind: Kind,
    pub(crate) flags: u8,
    /// 0: the connection.
    pub(crate) stream: u32,
}

impl FrameHeader {
    /// `None`: more bytes have to come.
    #[inline]
    pub(crate) fn read(bytes: &[u8]) -> Option<FrameHeader> {
        let &[a, b, c, kind, flags, d, e, f, g] = bytes.first_chunk::<HEADER_BYTES>()?;
        Some(FrameHeader {
            length: u32::from_be_bytes([0, a, b, c]),
            kind: Kind::of(kind),
            flags,
            stream: u32::from_be_bytes([d, e, f, g]) & LARGEST_WINDOW,
        })
    }

    #[inline]
    pub(crate) fn bytes(self) -> [u8; HEADER_BYTES] {
        let [_, a, b, c] = self.length.to_be_bytes();
        let [d, e, f, g] = self.stream.to_be_bytes();
        [a, b, c, self.kind.number(), self.flags, d, e, f, g]
    }

    #[inline]
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes());
    }

    pub(crate) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Appends a frame whose payload is a few bytes.
fn write_short(kind: Kind, flags: u8, stream: u32, payload: &[u8], out: &mut Vec<u8>) {
    let header = FrameHeader {
        length: payload.len() as u32,
        kind,
        flags,
        stream,
    };
    header.write(out);
    out.extend_from_slice(payload);
}

pub(crate) fn write_settings(settings: &[(u16, u32)], out: &mut Vec<u8>) {
    let header = FrameHeader {
        length: 6 * settings.len() as u32,
        kind: Kind::Settings,
        flags: 0,
        stream: 0,
    };
    header.write(out);
    for (number, value) in settings {
        out.extend_from_slice(&number.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

pub(crate) fn write_settings_ack(out: &mut Vec<u8>) {
    write_short(Kind::Settings, flag::ACK, 0, &[], out);
}

pub(crate) fn write_ping_ack(payload: &[u8], out: &mut Vec<u8>) {
    write_short(Kind::Ping, flag::ACK, 0, payload, out);
}

pub(crate) fn write_reset(stream: u32, code: ErrorCode, out: &mut Vec<u8>) {
    write_short(
        Kind::ResetStream,
        0,
        stream,
        &(code as u32).to_be_bytes(),
        out,
    );
}

pub(crate) fn write_window_update(stream: u32, bytes: u32, out: &mut Vec<u8>) {
    write_short(Kind::WindowUpdate, 0, stream, &bytes.to_be_bytes(), out);
}

pub(crate) fn write_go_away(last_stream: u32, code: ErrorCode, out: &mut Vec<u8>) {
    let [a, b, c, d] = last_stream.to_be_bytes();
    let [e, f, g, h] = (code as u32).to_be_bytes();
    write_short(Kind::GoAway, 0, 0, &[a, b, c, d, e, f, g, h], out);
}

/// Puts a header block, which is the last of `out` from `start` on, into frames of at most `most` bytes: HEADERS, and CONTINUATION where
/// it is longer.
pub(crate) fn frame_block(start: usize, stream: u32, flags: u8, most: u32, out: &mut Vec<u8>) {
    let most = most as usize;
    if out.len() - start <= most {
        // The most frequent case: its header goes into the room that was left for it.
        let header = FrameHeader {
            length: (out.len() - start) as u32,
            kind: Kind::Headers,
            flags: flags | flag::END_HEADERS,
            stream,
        };
        let block = out.len();
        header.write(out);
        let (before, written) = out.split_at_mut(block);
        before[start - HEADER_BYTES..start].copy_from_slice(written);
        out.truncate(block);
        return;
    }
    let block = out.split_off(start);
    out.truncate(start - HEADER_BYTES);
    let pieces = block.len().div_ceil(most);
    for (number, piece) in block.chunks(most).enumerate() {
        let (kind, flags) = match number {
            0 => (Kind::Headers, flags),
            _ => (Kind::Continuation, 0),
        };
        let last = if number + 1 == pieces {
            flag::END_HEADERS
        } else {
            0
        };
        write_short(kind, flags | last, stream, piece, out);
    }
}

/// A payload without its padding (RFC 9113, section 6.1). `None`: there is more padding than payload.
pub(crate) fn unpad(header: FrameHeader, payload: &[u8]) -> Option<&[u8]> {
    if !header.has(flag::PADDED) {
        return Some(payload);
    }
    let (&padding, rest) = payload.split_first()?;
    let end = rest.len().checked_sub(padding.into())?;
    Some(&rest[..end])
}

/// A number of 31 bits.
pub(crate) fn number(bytes: &[u8]) -> Option<u32> {
    let four = bytes.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*four) & LARGEST_WINDOW)
}

/// The settings of a frame, each with its number.
pub(crate) fn settings(payload: &[u8]) -> impl Iterator<Item = (u16, u32)> + '_ {
    payload.chunks_exact(6).map(|setting| {
        let (number, value) = setting.split_at(2);
        let number = number
            .first_chunk()
            .map_or(0, |two| u16::from_be_bytes(*two));
        let value = value
            .first_chunk()
            .map_or(0, |four| u32::from_be_bytes(*four));
        (number, value)
    })
}
