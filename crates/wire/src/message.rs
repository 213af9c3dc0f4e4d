//! Where the messages of an HTTP/1 stream begin and end (RFC 9112, section 6), from what was captured of it: the heads are needed, of
//! the bodies only how long they are.

use crate::stream::Piece;

/// The longest head.
const LONGEST_HEAD: usize = 64 << 10;
const MOST_FIELDS: usize = 128;

/// Which of the two ends speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    Client,
    /// And whether the request that it answers, if there is one, is for a head alone.
    Server {
        to_head: bool,
    },
}

/// A place in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Its first byte.
    Begins,
    /// Its head is whole; whether it is a HEAD request.
    Head { is_head: bool },
    /// Its last byte.
    Ends,
}

/// The stream cannot be followed any more: it is not HTTP/1, or what says where a message ends was not captured or is not read here
/// (chunks, a change of protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lost;

/// Follows one direction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages {
    state: State,
}

#[derive(Debug, Clone, Default)]
enum State {
    #[default]
    Between,
    Head(Vec<u8>),
    Body(u64),
    UntilClose,
}

/// How long a body is.
enum Length {
    Bytes(u64),
    UntilClose,
    /// It was the head of an interim answer; the answer is still to come.
    Interim,
}

impl Messages {
    /// Goes on to the next mark in `piece`, which it takes off its beginning; none if the piece ends before.
    pub(crate) fn next(
        &mut self,
        piece: &mut Piece<'_>,
        speaker: Speaker,
    ) -> Result<Option<Mark>, Lost> {
        match &mut self.state {
            State::Between => {
                if piece.is_empty() {
                    return Ok(None);
                }
                self.state = State::Head(Vec::new());
                Ok(Some(Mark::Begins))
            }
            State::Head(head) => {
                let before = head.len();
                head.extend_from_slice(piece.captured);
                let Some(end) = end_of_head(head, before) else {
                    let cut = piece.missing > 0 || head.len() > LONGEST_HEAD;
                    piece.skip(u64::MAX);
                    return match cut || !could_begin(head, speaker) {
                        true => Err(Lost),
                        false => Ok(None),
                    };
                };
                piece.skip((end - before) as u64);
                let (length, is_head) = match speaker {
                    Speaker::Client => request(&head[..end])?,
                    Speaker::Server { to_head } => (answer(&head[..end], to_head)?, false),
                };
                self.state = match length {
                    Length::Bytes(bytes) => State::Body(bytes),
                    Length::UntilClose => State::UntilClose,
                    Length::Interim => {
                        self.state = State::Head(Vec::new());
                        return self.next(piece, speaker);
                    }
                };
                Ok(Some(Mark::Head { is_head }))
            }
            State::Body(left) => {
                *left -= piece.skip(*left);
                if *left > 0 {
                    return Ok(None);
                }
                self.state = State::Between;
                Ok(Some(Mark::Ends))
            }
            State::UntilClose => {
                piece.skip(u64::MAX);
                Ok(None)
            }
        }
    }

    /// The stream has ended; whether that ends a message as it should.
    pub(crate) fn end(&mut self) -> bool {
        matches!(std::mem::take(&mut self.state), State::UntilClose)
    }
}

/// Where a head ends that is known not to have ended within `before` bytes.
fn end_of_head(head: &[u8], before: usize) -> Option<usize> {
    let from = before.saturating_sub(3);
    let found = head[from..]
        .windows(4)
        .position(|four| four == b"\r\n\r\n")?;
    Some(from + found + 4)
}

/// Whether bytes that are no whole head may be the beginning of one.
fn could_begin(head: &[u8], speaker: Speaker) -> bool {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    match speaker {
        Speaker::Client => httparse::Request::new(&mut fields).parse(head).is_ok(),
        Speaker::Server { .. } => httparse::Response::new(&mut fields).parse(head).is_ok(),
    }
}

fn request(head: &[u8]) -> Result<(Length, bool), Lost> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    request.parse(head).map_err(|_| Lost)?;
    let is_head = request.method == Some("HEAD");
    let length = content_length(request.headers)?;
    Ok((Length::Bytes(length.unwrap_or(0)), is_head))
}

fn answer(head: &[u8], to_head: bool) -> Result<Length, Lost> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut answer = httparse::Response::new(&mut fields);
    answer.parse(head).map_err(|_| Lost)?;
    match answer.code.ok_or(Lost)? {
        101 => Err(Lost),
        100..200 => Ok(Length::Interim),
        204 | 304 => Ok(Length::Bytes(0)),
        _ if to_head => Ok(Length::Bytes(0)),
        _ => Ok(content_length(answer.headers)?.map_or(Length::UntilClose, Length::Bytes)),
    }
}

fn content_length(fields: &[httparse::Header<'_>]) -> Result<Option<u64>, Lost> {
    let named = |name: &str| {
        fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
    };
    if named("transfer-encoding").is_some() {
        return Err(Lost);
    }
    let Some(field) = named("content-length") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(field.value).map_err(|_| Lost)?;
    text.trim().parse().map(Some).map_err(|_| Lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The marks in a stream that comes in pieces of `size` bytes, of which `kept` are captured.
    fn marks(text: &str, speaker: Speaker, size: usize, kept: usize) -> Result<String, Lost> {
        let mut messages = Messages::default();
        let mut marks = String::new();
        for chunk in text.as_bytes().chunks(size) {
            let captured = &chunk[..kept.min(chunk.len())];
            let mut piece = Piece {
                captured,
                missing: chunk.len() - captured.len(),
            };
            while let Some(mark) = messages.next(&mut piece, speaker)? {
                marks.push(match mark {
                    Mark::Begins => '(',
                    Mark::Head { is_head: false } => '-',
                    Mark::Head { is_head: true } => '=',
                    Mark::Ends => ')',
                });
            }
            assert!(piece.is_empty());
        }
        if messages.end() {
            marks.push(']');
        }
        Ok(marks)
    }

    const SERVER: Speaker = Speaker::Server { to_head: false };
    const WITH_BODY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    #[test]
    fn messages_end_where_they_say_however_they_are_cut() {
        let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
        let post = "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc";
        let requests = format!("{get}{post}HEAD / HTTP/1.1\r\n\r\n{get}");
        let interim = format!(
            "HTTP/1.1 100 Continue\r\n\r\n{WITH_BODY}HTTP/1.1 304 Not Modified\r\n\r\n{WITH_BODY}"
        );
        for size in 1..80 {
            assert_eq!(
                marks(&requests, Speaker::Client, size, size).as_deref(),
                Ok("(-)(-)(=)(-)")
            );
            assert_eq!(
                marks(&interim, SERVER, size, size).as_deref(),
                Ok("(-)(-)(-)")
            );
        }
        let until_close = "HTTP/1.0 200 OK\r\n\r\nwhatever";
        assert_eq!(marks(until_close, SERVER, 7, 7).as_deref(), Ok("(-]"));
        let to_head = Speaker::Server { to_head: true };
        let heads = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".repeat(2);
        assert_eq!(marks(&heads, to_head, 9, 9).as_deref(), Ok("(-)(-)"));
        assert_eq!(marks("GET / HT", Speaker::Client, 9, 9).as_deref(), Ok("("));
    }

    #[test]
    fn bodies_need_not_be_captured_and_heads_must() {
        assert_eq!(marks(WITH_BODY, SERVER, 100, 38).as_deref(), Ok("(-)"));
        assert_eq!(marks(WITH_BODY, SERVER, 100, 37), Err(Lost));
    }

    #[test]
    fn what_is_not_followed_is_said_to_be_lost() {
        for (text, speaker) in [
            ("\x16\x03\x01\x00\x05", Speaker::Client),
            ("\x16\x03\x03", SERVER),
            ("220 mail.example ESMTP\r\n", SERVER),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Speaker::Client),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                SERVER,
            ),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", SERVER),
            ("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", SERVER),
            (&"x".repeat(LONGEST_HEAD + 1), SERVER),
        ] {
            assert_eq!(
                marks(text, speaker, 1000, 1000),
                Err(Lost),
                "{}",
                &text[..12.min(text.len())]
            );
        }
    }
}
