//! Requests and answers as an intermediary passes them on (RFC 9110, section 7.6).
//!
//! What is about one connection ends with it: `Connection`, whatever that names, and the fields that are known to be of that kind.
//! What says where a body ends is said anew.

use httparse::{EMPTY_HEADER, Response, Status as Parsed};

use crate::semantics::method::Method;
use crate::semantics::request::{Request, field_lines};
use crate::semantics::syntax::{decimal, elements};

/// The most fields of an answer that is passed on.
const MAX_FIELDS: usize = 256;

/// Fields that are about a connection, or about how a message is framed on it (RFC 9110, 7.6.1; RFC 9112, 6).
const OF_A_CONNECTION: [&[u8]; 10] = [
    b"connection",
    b"content-length",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
];
/// Fields of a request that are answered, or said anew, by whoever passes it on.
const OF_AN_INTERMEDIARY: [&[u8]; 3] = [b"host", b"expect", b"cookie"];

/// Appends a GET or HEAD to `out`, to be sent to another server, whose host and port are `authority`. Its fields are those that were
/// [kept](crate::Config::keep_fields); it says by `Via` through whom it came.
pub fn write_request(request: &Request, authority: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(match request.method() {
        Method::Head => b"HEAD ",
        _ => b"GET ",
    });
    request.target().write_path(out);
    request.target().write_query(out);
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    out.extend_from_slice(authority.as_bytes());
    out.extend_from_slice(b"\r\n");
    let named = Named::of(request.fields());
    for (name, value) in request.fields() {
        if !named.is_of_a_connection(name) && !is_among(name, &OF_AN_INTERMEDIARY) {
            put_line(name, value, out);
        }
    }
    // HTTP/2 may have cut them, which no other version knows (RFC 9113, 8.2.3).
    let cookies = request.fields().filter(|(name, _)| is_cookie(name));
    let cookies: Vec<_> = cookies.map(|(_, value)| value).collect();
    if !cookies.is_empty() {
        put_line(b"Cookie", &cookies.join(&b"; "[..]), out);
    }
    out.extend_from_slice(b"Via: 1.1 archbench\r\n\r\n");
}

/// The head of another server's answer, as it is passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayedHead {
    status: u16,
    /// What follows the version in the status line, and the field lines that are passed on.
    lines: Vec<u8>,
    /// Where the field lines begin.
    fields: usize,
    length: Option<u64>,
    is_dated: bool,
}

impl RelayedHead {
    /// Reads a head, from its status line to its empty line. `None`: it is not what the grammar says, or it has a transfer coding
    /// that would have to be undone; so it cannot be passed on.
    pub fn read(head: &[u8]) -> Option<Self> {
        let mut fields = [EMPTY_HEADER; MAX_FIELDS];
        let mut response = Response::new(&mut fields);
        match response.parse(head) {
            Ok(Parsed::Complete(length)) if length == head.len() => {}
            _ => return None,
        }
        let status = response.code?;
        let pairs = || {
            let headers = response.headers.iter();
            headers.map(|field| (field.name.as_bytes(), field.value))
        };
        let named = Named::of(pairs());
        let mut lines =
            format!("{status} {}\r\n", response.reason.unwrap_or_default()).into_bytes();
        let start = lines.len();
        let (mut length, mut is_dated) = (None, false);
        for (name, value) in pairs() {
            if name.eq_ignore_ascii_case(b"content-length") {
                // Several that agree are one; others were refused when the answer was framed.
                length = elements(value).next().and_then(decimal);
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                if !value.eq_ignore_ascii_case(b"chunked") {
                    return None;
                }
            } else if !named.is_of_a_connection(name) {
                is_dated |= name.eq_ignore_ascii_case(b"date");
                put_line(name, value, &mut lines);
            }
        }
        Some(Self {
            status,
            lines,
            fields: start,
            length,
            is_dated,
        })
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The length of the body in bytes, or for a HEAD or a 304 that of the body which a GET would have had. `None`: not said.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Says how long the body is, now that it is known.
    pub fn set_length(&mut self, bytes: u64) {
        self.length = Some(bytes);
    }

    /// Says that the answer was kept for so long before it is passed on (RFC 9111, 5.1), in addition to what it said itself.
    pub fn add_age(&mut self, seconds: u64) {
        let mut age = seconds;
        let mut lines = self.lines[..self.fields].to_vec();
        for (name, value) in self.fields() {
            match decimal(value).filter(|_| name.eq_ignore_ascii_case(b"age")) {
                Some(said) => age = age.saturating_add(said),
                None => put_line(name, value, &mut lines),
            }
        }
        put_line(b"Age", age.to_string().as_bytes(), &mut lines);
        self.lines = lines;
    }

    /// Name and value of each field that is passed on.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        field_lines(&self.lines[self.fields..])
    }

    /// Whether a body may follow, where the request was no HEAD.
    pub(crate) fn has_body(&self) -> bool {
        !matches!(self.status, 204 | 304)
    }

    pub(crate) fn lines(&self) -> &[u8] {
        &self.lines
    }

    pub(crate) fn is_dated(&self) -> bool {
        self.is_dated
    }
}

/// What the Connection fields of a message name: other fields that end with the connection.
struct Named<'a>(Vec<&'a [u8]>);

impl<'a> Named<'a> {
    fn of(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let options = fields.filter(|(name, _)| name.eq_ignore_ascii_case(b"connection"));
        let options = options.flat_map(|(_, value)| elements(value));
        let options = options.filter(|option| !option.is_empty());
        Self(options.collect())
    }

    fn is_of_a_connection(&self, name: &[u8]) -> bool {
        is_among(name, &OF_A_CONNECTION) || is_among(name, &self.0)
    }
}

fn is_cookie(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"cookie")
}

fn is_among(name: &[u8], names: &[&[u8]]) -> bool {
    names.iter().any(|one| name.eq_ignore_ascii_case(one))
}

fn put_line(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::target::RawTarget;

    #[test]
    fn what_is_about_a_connection_is_not_passed_on() {
        let target = RawTarget::new(b"/a%20b/?q=%41").unwrap();
        let mut request = Request::new(Method::Get, target);
        for (name, value) in [
            ("Host", "here"),
            ("Connection", "close, X-Secret"),
            ("x-secret", "1"),
            ("Keep-Alive", "timeout=5"),
            ("TE", "trailers"),
            ("Content-Length", "0"),
            ("Upgrade", "h2c"),
            ("Expect", "100-continue"),
            ("Accept", "*/*"),
            ("cookie", "a=b"),
            ("cookie", "c=d"),
            ("Via", "1.0 before"),
        ] {
            request.keep(name, value.as_bytes());
        }
        let mut out = Vec::new();
        write_request(&request, "there:81", &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "GET /a%20b/?q=%41 HTTP/1.1\r\nHost: there:81\r\nAccept: */*\r\nVia: 1.0 before\r\nCookie: a=b; c=d\r\nVia: 1.1 archbench\r\n\r\n"
        );
        let head = RelayedHead::read(
            b"HTTP/1.1 299 Odd\r\nConnection: x-a,close\r\nX-A: 1\r\nX-B: 2\r\nDate: now\r\nContent-Length: 7, 7\r\nTrailer: T\r\n\r\n",
        )
        .unwrap();
        assert_eq!(head.lines(), b"299 Odd\r\nX-B: 2\r\nDate: now\r\n");
        assert_eq!((head.status(), head.length()), (299, Some(7)));
        assert!(head.is_dated());
        let mut aged = head.clone();
        aged.add_age(3);
        aged.add_age(4);
        assert!(aged.lines().ends_with(b"Date: now\r\nAge: 7\r\n"));
        let fields: Vec<_> = head.fields().collect();
        assert_eq!(fields, [(&b"X-B"[..], &b"2"[..]), (b"Date", b"now")]);
    }

    #[test]
    fn what_cannot_be_read_is_not_passed_on() {
        for head in [
            &b"HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n",
        ] {
            let text = String::from_utf8_lossy(head);
            assert_eq!(RelayedHead::read(head), None, "{text}");
        }
        let chunked = RelayedHead::read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n");
        assert_eq!(chunked.unwrap().length(), None);
    }

    #[test]
    fn the_head_of_an_answer_is_kept_however_it_is_cut() {
        use crate::client::{Event, Expect, Responses};
        let head = "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 2\r\n\r\n";
        let answer = format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{head}hi");
        for piece in [1, 7, 30, answer.len()] {
            let mut responses = Responses::keeping_heads();
            responses.expect(Expect::Body);
            let mut body = Vec::new();
            for mut input in answer.as_bytes().chunks(piece) {
                loop {
                    match responses.next(&mut input).unwrap() {
                        Event::Head(_) => assert_eq!(responses.head(), head.as_bytes()),
                        Event::Body(bytes) => body.extend_from_slice(bytes),
                        _ => break,
                    }
                }
            }
            assert_eq!(body, b"hi");
        }
    }
}
