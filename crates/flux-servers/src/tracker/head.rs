//! The head of a request to a tracker.

/// No head is longer: an announcement's is a few hundred bytes.
pub(super) const LONGEST: usize = 8 << 10;

/// What a request is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head<'a> {
    /// An announcement: the query.
    Announce(&'a [u8]),
    /// Nothing that is here: the status to answer with.
    Other(&'static str),
}

/// Whether a head has come to its end.
pub(super) fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|end| end == b"\r\n\r\n")
}

/// What a head asks for.
pub(super) fn query(head: &[u8]) -> Head<'_> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let is_whole = request.parse(head).is_ok_and(|parsed| parsed.is_complete());
    let (Some(method), Some(target)) = (request.method, request.path) else {
        return Head::Other("400 Bad Request");
    };
    if !is_whole {
        return Head::Other("400 Bad Request");
    }
    if method != "GET" {
        return Head::Other("405 Method Not Allowed");
    }
    match target
        .strip_prefix("/announce")
        .map(|rest| rest.split_at_checked(1))
    {
        Some(Some(("?", query))) => Head::Announce(query.as_bytes()),
        Some(None) => Head::Announce(b""),
        _ => Head::Other("404 Not Found"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_told_from_anything_else() {
        let asked = |line: &str| format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n");
        for (line, meant) in [
            ("GET /announce?a=%01", Head::Announce(b"a=%01")),
            ("GET /announce", Head::Announce(b"")),
            ("GET /announcement", Head::Other("404 Not Found")),
            ("GET /", Head::Other("404 Not Found")),
            ("POST /announce?a=1", Head::Other("405 Method Not Allowed")),
            ("GET\u{1} /announce", Head::Other("400 Bad Request")),
        ] {
            assert_eq!(query(asked(line).as_bytes()), meant, "{line}");
        }
        assert!(is_whole(asked("GET /").as_bytes()));
        assert!(!is_whole(b"GET / HTTP/1.1\r\nHost: x\r\n"));
    }
}
