//! The client's end of HTTP/2: a machine that writes requests and reads what comes of them. It does no I/O and knows no clock.

#[cfg(test)]
mod tests;

use crate::client::Error;
use crate::h2::flow::Credit;
use crate::h2::frame::{
    self, ErrorCode, FIRST_WINDOW, FrameHeader, HEADER_BYTES, Kind, PREFACE, SMALLEST_MAX_PAYLOAD,
    flag, setting,
};
use crate::h2::hpack::decode::Decoder;
use crate::h2::hpack::encode::{indexed, literal, named_short};
use crate::h2::hpack::statics::index;
use crate::h2::input::{Found, Input};
use crate::semantics::syntax::decimal;

/// How much of all bodies, and of each, may come before it is asked for: so much that nobody waits for it.
const WINDOW: u32 = 1 << 30;
/// The longest head of an answer, in bytes.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// What the bytes mean. Streams are named by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// All bytes are used.
    More,
    /// The head of an answer, with its status; interim ones are skipped.
    Head(u32, u16),
    /// A piece of an answer's body. Never empty.
    Body(u32, &'a [u8]),
    /// An answer is whole.
    Done(u32),
    /// An answer will not become whole, and why.
    Reset(u32, ErrorCode),
    /// The connection takes no more requests; those after this stream were not looked at.
    GoAway(u32),
}

/// Requests and answers on one connection.
#[derive(Debug)]
pub struct Client {
    input: Input,
    /// The frame that was handed out last is to be dropped.
    has_frame: bool,
    decoder: Decoder,
    text: Vec<u8>,
    /// A header block that is not whole: its stream, or 0, whether that ends with it, and the bytes.
    block: (u32, bool, Vec<u8>),
    answers: Vec<Answer>,
    /// The stream whose last event is due.
    done: Option<u32>,
    next_stream: u32,
    credit: Credit,
    most_streams: u32,
}

/// An answer under way.
#[derive(Debug)]
struct Answer {
    stream: u32,
    has_head: bool,
    is_head_only: bool,
    length: Option<u64>,
    received: u64,
    credit: Credit,
}

impl Default for Client {
    fn default() -> Client {
        Client {
            input: Input::default(),
            has_frame: false,
            decoder: Decoder::default(),
            text: Vec::new(),
            block: (0, false, Vec::new()),
            answers: Vec::new(),
            done: None,
            next_stream: 1,
            credit: Credit::new(WINDOW),
            most_streams: u32::MAX,
        }
    }
}

impl Client {
    /// A connection on which nothing has been said: `out` is given what comes before the first request.
    pub fn new(out: &mut Vec<u8>) -> Client {
        out.extend_from_slice(PREFACE);
        let settings = [
            (setting::ENABLE_PUSH, 0),
            (setting::INITIAL_WINDOW_SIZE, WINDOW),
        ];
        frame::write_settings(&settings, out);
        frame::write_window_update(0, WINDOW - FIRST_WINDOW, out);
        Client::default()
    }

    /// How many requests the server takes at a time.
    pub fn most_streams(&self) -> usize {
        self.most_streams as usize
    }

    /// Whether another request can have a number.
    pub fn has_numbers(&self) -> bool {
        self.next_stream < frame::LARGEST_WINDOW
    }

    /// Appends a request to `out`, whose header block [`request_block`] has made, and returns its stream.
    #[inline]
    pub fn request(&mut self, block: &[u8], is_head_only: bool, out: &mut Vec<u8>) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        let start = out.len() + HEADER_BYTES;
        out.resize(start, 0);
        out.extend_from_slice(block);
        frame::frame_block(start, stream, flag::END_STREAM, SMALLEST_MAX_PAYLOAD, out);
        self.answers.push(Answer {
            stream,
            has_head: false,
            is_head_only,
            length: None,
            received: 0,
            credit: Credit::new(WINDOW),
        });
        stream
    }

    /// Nobody waits for an answer any more.
    pub fn cancel(&mut self, stream: u32, out: &mut Vec<u8>) {
        // One that is whole already has no need to be told.
        let is_over = self.done.take_if(|done| *done == stream).is_some();
        if self.remove(stream) && !is_over {
            frame::write_reset(stream, ErrorCode::Cancel, out);
        }
    }

    fn remove(&mut self, stream: u32) -> bool {
        let place = self.place(stream);
        if let Some(place) = place {
            self.answers.swap_remove(place);
        }
        place.is_some()
    }

    #[inline]
    fn place(&self, stream: u32) -> Option<usize> {
        self.answers
            .iter()
            .position(|answer| answer.stream == stream)
    }

    /// Uses bytes off the front of `input` and says what they were; what has to be said to the server is appended to `out`.
    ///
    /// # Errors
    /// What came is not HTTP/2, or breaks its rules.
    pub fn next<'a, 'b: 'a>(
        &'a mut self,
        input: &mut &'b [u8],
        out: &mut Vec<u8>,
    ) -> Result<Event<'a>, Error> {
        if let Some(stream) = self.done.take() {
            self.remove(stream);
            return Ok(Event::Done(stream));
        }
        if std::mem::take(&mut self.has_frame) {
            self.input.drop_frame();
        }
        loop {
            let (header, here) = match self.input.find(input, SMALLEST_MAX_PAYLOAD) {
                Found::More => return Ok(Event::More),
                Found::TooLong(_) => return Err(Error::NotHttp2),
                Found::Here(header, payload) => (header, Some(payload)),
                Found::Kept(header) => (header, None),
            };
            if self.block.0 != 0 && header.kind != Kind::Continuation {
                return Err(Error::NotHttp2);
            }
            if header.kind != Kind::Data {
                // It leads to an event that holds none of it, so that it can be dropped at once.
                let kept = match here {
                    Some(_) => Vec::new(),
                    None => self.input.kept().to_vec(),
                };
                self.input.drop_frame();
                match self.frame(header, here.unwrap_or(&kept), out)? {
                    Some(Outcome::Head(stream, status)) => return Ok(Event::Head(stream, status)),
                    Some(Outcome::Reset(stream, code)) => return Ok(Event::Reset(stream, code)),
                    Some(Outcome::GoAway(last)) => return Ok(Event::GoAway(last)),
                    None => {}
                }
                // What comes behind a body may end an answer too.
                match self.done.take() {
                    Some(stream) => {
                        self.remove(stream);
                        return Ok(Event::Done(stream));
                    }
                    None => continue,
                }
            }
            if !self.credit.spend(header.length) {
                return Err(Error::NotHttp2);
            }
            if let Some(bytes) = self.credit.renew() {
                frame::write_window_update(0, bytes, out);
            }
            let payload = here.unwrap_or_else(|| self.input.kept());
            let length = frame::unpad(header, payload).ok_or(Error::NotHttp2)?.len();
            let answers = &mut self.answers;
            let answer = answers
                .iter_mut()
                .find(|answer| answer.stream == header.stream);
            // One that was cancelled here may not know yet.
            let Some(answer) = answer else {
                self.input.drop_frame();
                continue;
            };
            if !answer.has_head || answer.is_head_only && length > 0 {
                return Err(Error::NotHttp2);
            }
            if !answer.credit.spend(header.length) {
                return Err(Error::NotHttp2);
            }
            if let Some(bytes) = answer.credit.renew() {
                frame::write_window_update(header.stream, bytes, out);
            }
            answer.received += length as u64;
            if header.has(flag::END_STREAM) {
                if answer
                    .length
                    .is_some_and(|length| length != answer.received)
                {
                    return Err(Error::BadLength);
                }
                self.done = Some(header.stream);
            }
            if length == 0 {
                self.input.drop_frame();
                match self.done.take() {
                    Some(stream) => {
                        self.remove(stream);
                        return Ok(Event::Done(stream));
                    }
                    None => continue,
                }
            }
            self.has_frame = true;
            let payload = here.unwrap_or_else(|| self.input.kept());
            let start = usize::from(header.has(flag::PADDED));
            return Ok(Event::Body(header.stream, &payload[start..start + length]));
        }
    }

    fn frame(
        &mut self,
        header: FrameHeader,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<Outcome>, Error> {
        match header.kind {
            Kind::Headers => {
                let mut block = frame::unpad(header, payload).ok_or(Error::NotHttp2)?;
                if header.has(flag::PRIORITY) {
                    block = block.get(5..).ok_or(Error::NotHttp2)?;
                }
                let ends = header.has(flag::END_STREAM);
                if header.has(flag::END_HEADERS) {
                    return self.head(header.stream, ends, block);
                }
                self.block.0 = header.stream;
                self.block.1 = ends;
                self.block.2.clear();
                self.block.2.extend_from_slice(block);
            }
            Kind::Continuation => {
                self.block.2.extend_from_slice(payload);
                if header.stream != self.block.0 || self.block.2.len() > MAX_HEAD_BYTES {
                    return Err(Error::NotHttp2);
                }
                if header.has(flag::END_HEADERS) {
                    let (stream, ends, block) = std::mem::take(&mut self.block);
                    return self.head(stream, ends, &block);
                }
            }
            Kind::ResetStream => {
                let code = frame::number(payload).ok_or(Error::NotHttp2)?;
                if self.remove(header.stream) {
                    return Ok(Some(Outcome::Reset(header.stream, ErrorCode::of(code))));
                }
            }
            Kind::Settings if header.has(flag::ACK) => {}
            Kind::Settings => {
                for (number, value) in frame::settings(payload) {
                    if number == setting::MAX_CONCURRENT_STREAMS {
                        self.most_streams = value;
                    }
                }
                frame::write_settings_ack(out);
            }
            Kind::Ping if !header.has(flag::ACK) => frame::write_ping_ack(payload, out),
            Kind::GoAway => {
                let last = frame::number(payload).ok_or(Error::NotHttp2)?;
                return Ok(Some(Outcome::GoAway(last)));
            }
            Kind::PushPromise => return Err(Error::NotHttp2),
            _ => {}
        }
        Ok(None)
    }

    /// The head of an answer, or what comes behind a body.
    fn head(&mut self, stream: u32, ends: bool, block: &[u8]) -> Result<Option<Outcome>, Error> {
        let (mut status, mut length) = (None, None);
        let decoded = self
            .decoder
            .decode(block, &mut self.text, |name, value| match name {
                b":status" => status = decimal(value),
                b"content-length" => length = decimal(value),
                _ => {}
            });
        decoded.map_err(|_| Error::BadField)?;
        let Some(place) = self.place(stream) else {
            return Ok(None);
        };
        let answer = &mut self.answers[place];
        if ends {
            self.done = Some(stream);
        }
        if answer.has_head {
            // What comes behind a body ends it.
            let is_whole = answer.length.is_none_or(|length| length == answer.received);
            return match (ends, is_whole) {
                (true, true) => Ok(None),
                (true, false) => Err(Error::BadLength),
                (false, _) => Err(Error::NotHttp2),
            };
        }
        let status = status.and_then(|status| u16::try_from(status).ok());
        match status.ok_or(Error::BadStatus)? {
            100..200 if !ends => Ok(None),
            status @ 200..1000 => {
                answer.has_head = true;
                let has_body = !answer.is_head_only && status != 304;
                answer.length = length.filter(|_| has_body);
                if ends && answer.length.is_some_and(|length| length > 0) {
                    return Err(Error::BadLength);
                }
                Ok(Some(Outcome::Head(stream, status)))
            }
            _ => Err(Error::BadStatus),
        }
    }
}

/// What a frame has led to that is no DATA.
enum Outcome {
    Head(u32, u16),
    Reset(u32, ErrorCode),
    GoAway(u32),
}

/// What a resource is asked for by (RFC 9113, section 8.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

/// The header block of a request, written once and sent often. `fields` are those beside the four that every request has.
pub fn request_block<'a>(
    scheme: Scheme,
    is_head_only: bool,
    authority: &str,
    path: &str,
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<u8> {
    let mut block = Vec::new();
    match is_head_only {
        false => indexed(index::GET, &mut block),
        true => named_short(index::METHOD, b"HEAD", &mut block),
    }
    let scheme = match scheme {
        Scheme::Http => index::SCHEME_HTTP,
        Scheme::Https => index::SCHEME_HTTPS,
    };
    indexed(scheme, &mut block);
    named_short(index::AUTHORITY, authority.as_bytes(), &mut block);
    named_short(index::PATH, path.as_bytes(), &mut block);
    for (name, value) in fields {
        literal(
            name.to_ascii_lowercase().as_bytes(),
            value.as_bytes(),
            &mut block,
        );
    }
    block
}
