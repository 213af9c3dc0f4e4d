//! Raw bytes in, events out; and any cutting of the bytes gives the same.

use super::*;
use proptest::prelude::*;

/// What came of a stream of bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    responses: Vec<(u16, Vec<u8>, bool)>,
    /// Whether a response came that nobody had asked for, and whether it said that the connection ends.
    unasked: Option<bool>,
    end: Option<Result<Closed, Error>>,
}

/// Hands over `bytes` in pieces of the given lengths (the last repeats), then closes, expecting `expects` in turn.
fn read(bytes: &[u8], expects: &[Expect], cuts: &[usize]) -> Read {
    let mut machine = Responses::new();
    let mut read = Read::default();
    let mut expects = expects.iter();
    let mut present: Option<(u16, Vec<u8>)> = None;
    let mut cuts = cuts.iter().copied().chain(std::iter::repeat(usize::MAX));
    let mut rest = bytes;
    if let Some(&expect) = expects.next() {
        machine.expect(expect);
    }
    while !rest.is_empty() {
        let length = cuts.next().map_or(1, |cut| cut.clamp(1, rest.len()));
        let (mut piece, later) = rest.split_at(length);
        rest = later;
        loop {
            match machine.next(&mut piece) {
                Ok(Event::More) => break assert!(piece.is_empty()),
                Ok(Event::Head(head)) => present = Some((head.status, Vec::new())),
                Ok(Event::Body(body)) => {
                    assert!(!body.is_empty());
                    present.as_mut().expect("a head").1.extend_from_slice(body);
                }
                Ok(Event::Done { keep_alive }) => {
                    let (status, body) = present.take().expect("a head");
                    read.responses.push((status, body, keep_alive));
                    if let Some(&expect) = expects.next() {
                        machine.expect(expect);
                    }
                }
                Ok(Event::Unasked { closing }) => read.unasked = Some(closing),
                Err(error) => {
                    assert_eq!(machine.next(&mut piece), Err(error), "errors stay");
                    read.end = Some(Err(error));
                    return read;
                }
            }
        }
    }
    let end = machine.closed();
    if end == Ok(Closed::Done)
        && let Some((status, body)) = present.take()
    {
        read.responses.push((status, body, false));
    }
    read.end = Some(end);
    read
}

fn one(bytes: &[u8]) -> Read {
    read(bytes, &[Expect::Body], &[])
}

#[track_caller]
fn fails(bytes: &[u8], error: Error) {
    assert_eq!(one(bytes).end, Some(Err(error)), "{}", bytes.escape_ascii());
    let dripped = read(bytes, &[Expect::Body], &vec![1; bytes.len()]);
    assert_eq!(dripped.end, Some(Err(error)), "{}", bytes.escape_ascii());
}

#[test]
fn a_length_ends_a_body_and_the_next_response_follows() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let read = read(bytes, &[Expect::Body, Expect::Body], &[]);
    assert_eq!(
        read.responses,
        [(200, b"abc".to_vec(), true), (404, vec![], false)]
    );
    assert_eq!(read.end, Some(Ok(Closed::Idle)));
}

#[test]
fn chunks_extensions_and_trailers() {
    let read = one(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=\"y\"\r\nwiki\r\n05 \r\npedia\r\n0\r\nA: b\r\nC: d\r\n\r\n");
    assert_eq!(read.responses, [(200, b"wikipedia".to_vec(), true)]);
}

#[test]
fn a_body_may_end_with_the_connection() {
    let read = one(b"HTTP/1.0 200 OK\r\n\r\nall of it");
    assert_eq!(read.responses, [(200, b"all of it".to_vec(), false)]);
    assert_eq!(read.end, Some(Ok(Closed::Done)));
}

#[test]
fn some_responses_have_no_body_whatever_they_promise() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    assert_eq!(
        read(head, &[Expect::HeadOnly], &[]).responses,
        [(200, vec![], true)]
    );
    for status in ["204 No Content", "304 Not Modified"] {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: 10\r\n\r\n");
        assert_eq!(one(head.as_bytes()).responses.len(), 1);
        let head = format!("HTTP/1.1 {status}\r\n\r\n");
        assert!(one(head.as_bytes()).responses[0].2, "kept alive");
    }
}

#[test]
fn interim_responses_are_skipped_but_not_for_ever() {
    let interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let last = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let bytes = [interim.repeat(16).as_slice(), last].concat();
    assert_eq!(one(&bytes).responses, [(200, vec![], true)]);
    let bytes = [interim.repeat(17).as_slice(), last].concat();
    fails(&bytes, Error::TooManyInterim);
    fails(interim, Error::ClosedInHead);
    fails(b"HTTP/1.1 101 Switching\r\n\r\n", Error::Upgrade);
}

#[test]
fn http_1_0_keeps_alive_only_when_it_says_so() {
    let kept = one(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n");
    assert_eq!(kept.responses, [(200, vec![], true)]);
    let closed = one(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(closed.responses, [(200, vec![], false)]);
}

#[test]
fn bare_line_feeds_are_read_as_line_ends() {
    let read = one(b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx");
    assert_eq!(read.responses, [(200, b"x".to_vec(), true)]);
}

/// What curl reads, and reads as one body, though the grammar has it otherwise.
#[test]
fn what_is_plain_all_the_same_is_read() {
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    let length = "Content-Length: 1\r\n";
    let mut all = vec![
        head(&format!("A: b\r\n folded\r\n\t and again\r\n{length}")) + "x",
        head("A: b\r\n \r\nContent-Length: 1\r\n") + "x",
        head("Content-Length:\r\n 1\r\n") + "x",
        head("Transfer-Encoding: identity\r\nContent-Length: 1\r\n") + "x",
        head("A : b\r\nX Y: c\r\n: d\r\nContent-Length: 1\r\n") + "x",
        head(&format!("A: \u{1}\u{7f}\r\nB: \r\r\n{length}")) + "x",
        head(&("A: b\r\n".repeat(5000 - 1) + length)) + "x",
        head(&format!("A: {}\r\n{length}", "b".repeat(200_000))) + "x",
        format!("HTTP/1.1  200  OK\r\n{length}\r\nx"),
        format!("HTTP/1.1 200\r\n{length}\r\nx"),
        format!("http/1.1 200 OK\r\n{length}\r\nx"),
    ];
    for coding in ["chunked", "\r\n\tchunked", "identity,\r\n chunked"] {
        let head = head(&format!("Transfer-Encoding: {coding}\r\n"));
        for body in [
            "1\nx\n0\n\n",
            "1;a\nx\r\n0\r\nA: b\n c\r\n\r\n",
            "1\r\nx\r\n0\r\nA: \u{1}\r\n\r\n",
        ] {
            all.push(format!("{head}{body}"));
        }
    }
    for text in &all {
        let whole = one(text.as_bytes());
        let what = text.escape_debug();
        assert_eq!(whole.responses, [(200, b"x".to_vec(), true)], "{what}");
        assert_eq!(whole.end, Some(Ok(Closed::Idle)), "{what}");
        let cut = read(text.as_bytes(), &[Expect::Body], &vec![7; text.len()]);
        assert_eq!(cut, whole, "{what}");
    }
    let closing = one(b"HTTP/1.1 200 OK\r\nConnection: a,\r\n close\r\nContent-Length: 1\r\n\r\nx");
    assert_eq!(closing.responses, [(200, b"x".to_vec(), false)]);
}

/// Framing that one reader would take for another's is in doubt, however it is spelt.
#[test]
fn framing_in_doubt_is_refused() {
    let field = |line: &str| format!("HTTP/1.1 200 OK\r\n{line}\r\nContent-Length: 1\r\n\r\nx");
    for line in [
        "Content-Length : 5",
        "Transfer-Encoding : chunked",
        "Content-Length\u{b}: 5",
        "\u{1}Transfer-Encoding: chunked",
        "Content Length: 5\r\nContent-Leng th: 5",
        "Transfer-Encoding: \u{b}chunked",
    ] {
        fails(field(line).as_bytes(), Error::BadField);
    }
    fails(field(" Content-Length: 5").as_bytes(), Error::BadField);
    fails(
        field("Content-Length: 5\r\n 6").as_bytes(),
        Error::BadLength,
    );
}

#[test]
fn each_malformation_has_its_class() {
    let chunked =
        |rest: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{rest}");
    let field = |line: &str| format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n");
    fails(b"SSH-2.0-OpenSSH_9.2\r\n", Error::NotHttp);
    fails(b"HTTP/2 200\r\n\r\n", Error::NotHttp);
    fails(b"HTTP/1.2 200 OK\r\n\r\n", Error::NotHttp);
    fails(b"\r\nHTTP/1.1 200 OK\r\n\r\n", Error::NotHttp);
    fails(b"HTTP/1.1 2000 OK\r\n\r\n", Error::BadStatus);
    fails(b"HTTP/1.1 2x0 OK\r\n\r\n", Error::BadStatus);
    fails(b"HTTP/1.1 099 OK\r\n\r\n", Error::BadStatus);
    fails(field("no colon").as_bytes(), Error::BadField);
    fails(field(" folded: onto nothing").as_bytes(), Error::BadField);
    fails(field("A: \0").as_bytes(), Error::BadField);
    for bad in [
        "",
        "+5",
        "-1",
        "0x5",
        "5, 6",
        "18446744073709551616",
        "5\r\nContent-Length: 6",
    ] {
        fails(
            field(&format!("Content-Length: {bad}")).as_bytes(),
            Error::BadLength,
        );
    }
    for bad in [
        "",
        "chunked, chunked",
        "chunked\r\nTransfer-Encoding: chunked",
    ] {
        fails(
            field(&format!("Transfer-Encoding: {bad}")).as_bytes(),
            Error::BadTransferCoding,
        );
    }
    fails(
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        Error::BadTransferCoding,
    );
    fails(
        field("Content-Length: 5\r\nTransfer-Encoding: chunked").as_bytes(),
        Error::ConflictingFraming,
    );
    fails(
        &b"HTTP/1.1 200 OK\r\n"
            .iter()
            .copied()
            .chain(b"A: b\r\n".repeat(5001))
            .chain(*b"\r\n")
            .collect::<Vec<_>>(),
        Error::TooManyFields,
    );
    let long = [
        b"HTTP/1.1 200 OK\r\nA: ".as_slice(),
        &vec![b'x'; MAX_HEAD_BYTES],
    ]
    .concat();
    fails(&long, Error::HeadTooLarge);
    // Whatever else is wrong with it: it was no HTTP from the first byte on.
    fails(
        &[vec![b'X'; MAX_HEAD_BYTES - 1], b"\n\n".to_vec()].concat(),
        Error::NotHttp,
    );
    fails(
        &[long.as_slice(), b"\r\n\r\n"].concat(),
        Error::HeadTooLarge,
    );
    for bad in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "4x\r\n",
        // The largest size that is allowed, and one more digit.
        "10000000000000000\r\n",
        "fffffffffffffffff\r\n",
        "4;\0\r\n",
    ] {
        fails(chunked(bad).as_bytes(), Error::BadChunkSize);
    }
    fails(chunked("4\r\nwikiX").as_bytes(), Error::BadChunkEnd);
    fails(chunked("4\r\nwiki\r\r").as_bytes(), Error::BadChunkEnd);
    fails(chunked("0\r\nA: \0\r\n").as_bytes(), Error::BadTrailer);
    fails(chunked("0\r\n\rx").as_bytes(), Error::BadTrailer);
    fails(
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore",
        Error::Unsolicited,
    );
    fails(b"", Error::ClosedBeforeResponse);
    fails(b"HTTP/1.1 200 OK\r\nA:", Error::ClosedInHead);
    fails(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        Error::ClosedInBody,
    );
    fails(chunked("4\r\nwik").as_bytes(), Error::ClosedInBody);
    fails(chunked("0\r\n").as_bytes(), Error::ClosedInBody);
}

/// Node, HAProxy and others say so before they close a connection that nobody used.
#[test]
fn a_response_to_nothing_announces_the_end_of_an_idle_connection() {
    let asked = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx".as_slice();
    for (unasked, closing) in [
        (
            b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n".as_slice(),
            true,
        ),
        (
            b"HTTP/1.0 408 Request Time-out\r\nContent-Type: text/html\r\n\r\n<html>",
            true,
        ),
        (
            b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy",
            true,
        ),
        (
            b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 2\r\n\r\nno",
            false,
        ),
    ] {
        for cuts in [&[][..], &[1; 200]] {
            for (before, expects) in [(&b""[..], &[][..]), (asked, &[Expect::Body])] {
                let read = read(&[before, unasked].concat(), expects, cuts);
                assert_eq!(read.responses.len(), expects.len());
                assert_eq!(
                    (read.unasked, read.end),
                    (Some(closing), Some(Ok(Closed::Idle)))
                );
            }
        }
    }
    for bytes in [
        &b"\r\n"[..],
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 408",
        b"HTTP/1.1 408\r\nno\r\n\r\n",
    ] {
        assert_eq!(read(bytes, &[], &[]).end, Some(Err(Error::Unsolicited)));
    }
}

#[test]
fn a_body_can_be_skipped_unread() {
    let mut machine = Responses::new();
    machine.expect(Expect::Body);
    let mut input: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc";
    assert!(matches!(machine.next(&mut input), Ok(Event::Head(_))));
    assert_eq!(machine.next(&mut input), Ok(Event::Body(b"abc")));
    assert_eq!(machine.skippable(), 97);
    machine.skip(97);
    assert_eq!(
        machine.next(&mut input),
        Ok(Event::Done { keep_alive: true })
    );
}

#[test]
fn the_classes_are_numbered_and_named_apart() {
    let mut names: Vec<_> = Error::ALL.iter().map(|error| error.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Error::ALL.len());
    assert!(
        Error::ALL
            .iter()
            .enumerate()
            .all(|(at, error)| error.index() == at)
    );
}

/// Bytes that are often nearly a response.
fn nearly_responses() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        Just(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Just(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        Just(b"HTTP/1.0 304 Same\r\n".to_vec()),
        Just(b"Content-Length: 5\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"Connection: close\r\n".to_vec()),
        Just(b"A: b\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"5\r\nhello\r\n".to_vec()),
        Just(b"0\r\n\r\n".to_vec()),
        Just(b"hello".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(fragment, 0..14).prop_map(|fragments| fragments.concat())
}

proptest! {
    #[test]
    fn any_cutting_gives_the_same(bytes in nearly_responses(), cuts in proptest::collection::vec(1usize..9, 0..80), head_first: bool) {
        let expects = if head_first { [Expect::HeadOnly, Expect::Body, Expect::Body] } else { [Expect::Body; 3] };
        prop_assert_eq!(read(&bytes, &expects, &[]), read(&bytes, &expects, &cuts));
    }
}
