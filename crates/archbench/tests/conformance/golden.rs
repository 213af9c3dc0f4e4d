//! The answers, byte for byte.
//!
//! `golden.txt` holds every request and the whole of what comes back, apart from Date; the statuses are stated here a
//! second time, so that a golden file made from a wrong server does not pass. After each request the same connection
//! carries another one: its answer shows that the connection was kept and that the two were told apart, its absence that
//! the connection was closed, and the end without a reset that what was unread did no harm.
//!
//! `ARCHBENCH_BLESS=1 cargo test -p archbench --test conformance golden` writes the file anew.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::client::{Client, End};
use crate::server::Server;
use crate::{Bench, Case};

pub(crate) const CASES: &[Case] = &[
    ("answers_are_these_bytes", |bench| {
        matches_golden(&bench.serve(&[]))
    }),
    ("what_may_not_be_read_is_403", forbidden),
    ("magic_links_lead_nowhere", magic_links),
    ("dotfiles_are_served_where_asked_for", dotfiles),
];

/// What follows every request.
const NEXT: &str = "GET /again.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
/// And its answer.
const NEXT_ANSWER: &str = "HTTP/1.1 200 OK\r\nServer: archbench\r\nDate: [now]\r\nConnection: close\r\n\
    Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"6-ae1b981bc490aff\"\r\nAccept-Ranges: bytes\r\n\
    Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nagain\n";

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Kept,
    Closed,
}
use Then::{Closed, Kept};

struct Row {
    name: &'static str,
    request: Vec<u8>,
    status: u16,
    then: Then,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut raw = |name, request: &[u8], status, then| {
        rows.push(Row {
            name,
            request: request.to_vec(),
            status,
            then,
        })
    };

    // Paths.
    for (name, target, status) in [
        ("a file", "/file.txt", 200),
        (
            "a file from the content cache, beside its head",
            "/again.txt",
            200,
        ),
        ("an empty file", "/empty.txt", 200),
        ("the root's index", "/", 200),
        ("the root's index by name", "/index.html", 200),
        ("a directory's index", "/dir/", 200),
        ("a directory without its slash", "/dir", 301),
        (
            "a directory without its slash, with a query",
            "/dir?a=b&c=%20",
            301,
        ),
        ("a directory with a space", "/spaced%20dir", 301),
        ("a redirect never names another host", "//dir", 301),
        ("nor does it after dots", "//evil.example/%2e%2e/dir", 301),
        ("a directory without an index", "/bare", 404),
        (
            "a directory without an index, with its slash",
            "/bare/",
            404,
        ),
        ("a file below it", "/bare/file.txt", 200),
        ("another type", "/dir/deep/x.css", 200),
        ("a query is no part of the name", "/file.txt?x=/../y", 200),
        ("nothing there", "/nowhere", 404),
        ("nothing there, deeper", "/nowhere/deeper", 404),
        ("a file is no directory", "/file.txt/", 404),
        ("nor has it anything below it", "/file.txt/x", 404),
        ("an escape", "/%66ile.txt", 200),
        ("an escaped space", "/a%20b.txt", 200),
        ("an escaped percent sign", "/100%25.txt", 200),
        ("escapes are decoded once", "/%2566ile.txt", 404),
        ("a plus sign is a plus sign", "/a+b.txt", 404),
        ("a name that is no text", "/%ff%fe.txt", 200),
        ("an escaped NUL", "/file.txt%00", 400),
        ("an escaped slash", "/dir%2finner.txt", 400),
        ("a broken escape", "/%zz", 400),
        ("a cut escape", "/%4", 400),
        ("empty segments", "//dir///inner.txt", 200),
        ("dots", "/./dir/./inner.txt", 200),
        ("dots inside the root", "/dir/../file.txt", 200),
        ("dots at the end", "/dir/deep/..", 200),
        ("dots above the root", "/../file.txt", 404),
        ("dots far above the root", "/../../../../etc/passwd", 404),
        ("escaped dots", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("half-escaped dots", "/dir/.%2E/../../etc/passwd", 404),
        (
            "dots above the root and back",
            "/dir/../../x/../file.txt",
            404,
        ),
        (
            "backslashes are bytes like others",
            "/..\\..\\etc\\passwd",
            404,
        ),
        ("a symbolic link", "/link.txt", 200),
        ("a symbolic link up, inside the root", "/dir/up.txt", 200),
        ("a symbolic link to a symbolic link", "/chain.txt", 200),
        ("a symbolic link of another type", "/styled.css", 200),
        ("a symbolic link to a directory", "/linked-dir", 301),
        ("through it", "/linked-dir/inner.txt", 200),
        ("a symbolic link out of the root", "/out.txt", 404),
        (
            "a symbolic link to a directory outside",
            "/out-dir/passwd",
            404,
        ),
        ("that directory itself", "/out-dir", 404),
        ("a symbolic link that climbs", "/climb.txt", 404),
        (
            "a symbolic link that goes down and climbs",
            "/there-and-back.txt",
            404,
        ),
        ("a loop of symbolic links", "/loop-a", 404),
        ("a symbolic link to nothing", "/dangling", 404),
        ("a magic link", "/magic/etc/passwd", 404),
        ("a FIFO", "/fifo", 404),
        ("a symbolic link to a FIFO", "/dir/to-fifo", 404),
        ("a socket", "/socket", 404),
        ("a dotfile", "/.hidden", 404),
        ("a dotfile in a directory", "/dir/.hidden", 404),
        ("a file in a dot directory", "/.dotdir/file.txt", 404),
        ("an escaped dotfile", "/%2ehidden", 404),
    ] {
        raw(
            name,
            format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes(),
            status,
            Kept,
        );
    }
    let long = |length: usize| {
        format!(
            "GET /{} HTTP/1.1\r\nHost: h\r\n\r\n",
            "a".repeat(length - 1)
        )
    };
    raw(
        "a name too long for the file system",
        long(300).as_bytes(),
        404,
        Kept,
    );
    raw(
        "a path too long for the file system",
        format!(
            "GET {} HTTP/1.1\r\nHost: h\r\n\r\n",
            "/abcdefg".repeat(1000)
        )
        .as_bytes(),
        404,
        Kept,
    );
    raw("the longest target", long(8192).as_bytes(), 404, Kept);
    raw("a target too long", long(8193).as_bytes(), 414, Closed);
    raw(
        "a target that never ends",
        format!("GET /{}", "a".repeat(40_000)).as_bytes(),
        414,
        Closed,
    );

    // The request line.
    let line = |line: &str| format!("{line}\r\nHost: h\r\n\r\n").into_bytes();
    for (name, text, status, then) in [
        ("HEAD", "HEAD /file.txt HTTP/1.1", 200, Kept),
        (
            "HEAD of what is not there",
            "HEAD /nowhere HTTP/1.1",
            404,
            Kept,
        ),
        (
            "HEAD of a directory without its slash",
            "HEAD /dir HTTP/1.1",
            301,
            Kept,
        ),
        ("OPTIONS of the server", "OPTIONS * HTTP/1.1", 204, Kept),
        ("OPTIONS of a file", "OPTIONS /file.txt HTTP/1.1", 204, Kept),
        ("POST", "POST /file.txt HTTP/1.1", 405, Kept),
        ("PUT", "PUT /file.txt HTTP/1.1", 405, Kept),
        ("DELETE", "DELETE /file.txt HTTP/1.1", 405, Kept),
        ("PATCH", "PATCH /file.txt HTTP/1.1", 405, Kept),
        ("TRACE", "TRACE /file.txt HTTP/1.1", 405, Kept),
        ("CONNECT", "CONNECT h:80 HTTP/1.1", 405, Kept),
        ("an unknown method", "BREW /pot HTTP/1.1", 501, Closed),
        (
            "a method in lower case",
            "get /file.txt HTTP/1.1",
            501,
            Closed,
        ),
        (
            "a method that is no token",
            "G@T /file.txt HTTP/1.1",
            400,
            Closed,
        ),
        ("an asterisk with GET", "GET * HTTP/1.1", 400, Closed),
        ("an authority with GET", "GET h:80 HTTP/1.1", 400, Closed),
        (
            "an absolute target",
            "GET http://other.example/file.txt HTTP/1.1",
            200,
            Kept,
        ),
        (
            "an absolute target without a path",
            "GET http://other.example HTTP/1.1",
            200,
            Kept,
        ),
        (
            "an absolute target with a user",
            "GET http://u@other.example/ HTTP/1.1",
            400,
            Closed,
        ),
        ("a fragment", "GET /file.txt#x HTTP/1.1", 400, Kept),
        (
            "a space in the target",
            "GET /a b.txt HTTP/1.1",
            400,
            Closed,
        ),
        ("two spaces", "GET  /file.txt HTTP/1.1", 400, Closed),
        ("a tab", "GET\t/file.txt HTTP/1.1", 400, Closed),
        ("a space at the end", "GET /file.txt HTTP/1.1 ", 400, Closed),
        ("HTTP/0.9", "GET /file.txt", 400, Closed),
        ("HTTP/1", "GET /file.txt HTTP/1", 400, Closed),
        ("http/1.1", "GET /file.txt http/1.1", 400, Closed),
        ("HTTP/01.1", "GET /file.txt HTTP/01.1", 400, Closed),
        ("HTTP/1.2", "GET /file.txt HTTP/1.2", 200, Kept),
        ("HTTP/2.0", "GET /file.txt HTTP/2.0", 505, Closed),
        ("noise", "\x16\x03\x01", 400, Closed),
    ] {
        raw(name, &line(text), status, then);
    }
    raw(
        "the preface of HTTP/2",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        505,
        Closed,
    );
    raw(
        "an empty line first",
        b"\r\nGET /file.txt HTTP/1.1\r\nHost: h\r\n\r\n",
        200,
        Kept,
    );
    raw(
        "two empty lines first",
        b"\r\n\r\nGET /file.txt HTTP/1.1\r\nHost: h\r\n\r\n",
        400,
        Closed,
    );
    raw(
        "line feeds alone",
        b"GET /file.txt HTTP/1.1\nHost: h\n\n",
        400,
        Closed,
    );
    raw(
        "a line feed alone, once",
        b"GET /file.txt HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
        400,
        Closed,
    );
    raw(
        "a carriage return alone",
        b"GET /file.txt HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
        400,
        Closed,
    );
    raw(
        "a raw NUL in the target",
        b"GET /file\0.txt HTTP/1.1\r\nHost: h\r\n\r\n",
        400,
        Closed,
    );
    raw("HTTP/1.0", b"GET /file.txt HTTP/1.0\r\n\r\n", 200, Closed);
    raw(
        "HTTP/1.0, asked to be kept",
        b"GET /file.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        200,
        Kept,
    );

    // Header fields: what stands between a good request line and the end.
    let host = |fields: &str| format!("GET /file.txt HTTP/1.1\r\n{fields}\r\n").into_bytes();
    for (name, fields, status, then) in [
        ("no Host", "", 400, Closed),
        ("Host twice", "Host: h\r\nHost: h\r\n", 400, Closed),
        ("an empty Host", "Host:\r\n", 200, Kept),
        ("a Host with a path", "Host: a/b\r\n", 400, Closed),
        ("a Host with a user", "Host: u@h\r\n", 400, Closed),
        ("a list of Hosts", "Host: a,b\r\n", 400, Closed),
        ("a Host with a port", "Host: h:8080\r\n", 200, Kept),
        ("a folded field", "Host: h\r\nX: a\r\n b\r\n", 400, Closed),
        (
            "a space before the colon",
            "Host: h\r\nX : a\r\n",
            400,
            Closed,
        ),
        (
            "a space before the first field",
            " Host: h\r\n",
            400,
            Closed,
        ),
        (
            "a name that is no token",
            "Host: h\r\nX@Y: a\r\n",
            400,
            Closed,
        ),
        ("a field without a colon", "Host: h\r\nX\r\n", 400, Closed),
        ("a field without a name", "Host: h\r\n: a\r\n", 400, Closed),
        (
            "a control byte in a value",
            "Host: h\r\nX: a\x01b\r\n",
            400,
            Closed,
        ),
        ("NUL in a value", "Host: h\r\nX: a\0b\r\n", 400, Closed),
        (
            "Connection: close",
            "Host: h\r\nConnection: close\r\n",
            200,
            Closed,
        ),
        (
            "Connection: close among others",
            "Host: h\r\nConnection: x, CLOSE, y\r\n",
            200,
            Closed,
        ),
        (
            "an expectation that cannot be met",
            "Host: h\r\nExpect: wonders\r\n",
            417,
            Kept,
        ),
        (
            "an expectation without a body",
            "Host: h\r\nExpect: 100-continue\r\n",
            200,
            Kept,
        ),
        (
            "an unknown transfer coding",
            "Host: h\r\nTransfer-Encoding: gzip, chunked\r\n",
            501,
            Closed,
        ),
        (
            "Transfer-Encoding and Content-Length",
            "Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            400,
            Closed,
        ),
        (
            "chunked twice",
            "Host: h\r\nTransfer-Encoding: chunked, chunked\r\n",
            400,
            Closed,
        ),
        (
            "chunked, not last",
            "Host: h\r\nTransfer-Encoding: chunked, gzip\r\n",
            400,
            Closed,
        ),
        (
            "an empty Transfer-Encoding",
            "Host: h\r\nTransfer-Encoding:\r\n",
            400,
            Closed,
        ),
        (
            "a length with a plus sign",
            "Host: h\r\nContent-Length: +5\r\n",
            400,
            Closed,
        ),
        (
            "a negative length",
            "Host: h\r\nContent-Length: -1\r\n",
            400,
            Closed,
        ),
        (
            "a hexadecimal length",
            "Host: h\r\nContent-Length: 0x5\r\n",
            400,
            Closed,
        ),
        (
            "an empty length",
            "Host: h\r\nContent-Length:\r\n",
            400,
            Closed,
        ),
        (
            "an overflowing length",
            "Host: h\r\nContent-Length: 18446744073709551616\r\n",
            400,
            Closed,
        ),
        (
            "lengths that differ",
            "Host: h\r\nContent-Length: 0\r\nContent-Length: 1\r\n",
            400,
            Closed,
        ),
        (
            "a body too long",
            "Host: h\r\nContent-Length: 65537\r\n",
            413,
            Closed,
        ),
    ] {
        raw(name, &host(fields), status, then);
    }
    raw(
        "Transfer-Encoding in HTTP/1.0",
        b"GET /file.txt HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        Closed,
    );
    let many = |count: usize| host(&format!("Host: h\r\n{}", "X: y\r\n".repeat(count - 1)));
    raw("as many fields as may be", &many(100), 200, Kept);
    raw("a field too many", &many(101), 431, Closed);
    raw(
        "a head too long",
        &host(&format!("Host: h\r\nX: {}\r\n", "y".repeat(33_000))),
        431,
        Closed,
    );
    raw(
        "a head too long without an end",
        &[&b"GET / HTTP/1.1\r\nX: "[..], &[b'y'; 60_000]].concat(),
        431,
        Closed,
    );

    // Bodies.
    let body = |line: &str, fields: &str, body: &str| {
        format!("{line} HTTP/1.1\r\nHost: h\r\n{fields}\r\n{body}").into_bytes()
    };
    raw(
        "a body that looks like a request",
        &body(
            "GET /file.txt",
            "Content-Length: 37\r\n",
            "GET /nowhere HTTP/1.1\r\nHost: evil\r\n\r\n",
        ),
        200,
        Kept,
    );
    raw(
        "a chunked body",
        &body(
            "GET /file.txt",
            "Transfer-Encoding: chunked\r\n",
            "5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n",
        ),
        200,
        Kept,
    );
    raw(
        "a HEAD with a body",
        &body("HEAD /file.txt", "Content-Length: 5\r\n", "hello"),
        200,
        Kept,
    );
    raw(
        "a POST with a body",
        &body("POST /file.txt", "Content-Length: 5\r\n", "hello"),
        405,
        Kept,
    );
    raw(
        "a PUT with a chunked body",
        &body(
            "PUT /new",
            "Transfer-Encoding: chunked\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
        405,
        Kept,
    );
    raw(
        "a POST with more body than is read",
        &body(
            "POST /file.txt",
            "Content-Length: 100000\r\n",
            &"x".repeat(100_000),
        ),
        405,
        Closed,
    );
    raw(
        "the longest body",
        &body(
            "GET /file.txt",
            "Content-Length: 65536\r\n",
            &"x".repeat(65_536),
        ),
        200,
        Kept,
    );
    raw(
        "a chunked body too long",
        &body(
            "GET /file.txt",
            "Transfer-Encoding: chunked\r\n",
            &format!("10001\r\n{}\r\n0\r\n\r\n", "x".repeat(65_537)),
        ),
        413,
        Closed,
    );
    raw(
        "a POST that waits for leave to send its body",
        &body(
            "POST /file.txt",
            "Content-Length: 5\r\nExpect: 100-continue\r\n",
            "",
        ),
        405,
        Closed,
    );
    for (name, chunks) in [
        ("a chunk size that is none", "x\r\nhello\r\n0\r\n\r\n"),
        ("a chunk size with a sign", "+5\r\nhello\r\n0\r\n\r\n"),
        ("a chunk that does not end", "5\r\nhelloX\r\n0\r\n\r\n"),
        ("a chunk size without bound", "fffffffffffffffff\r\n"),
        (
            "a chunk size line ended by a line feed",
            "5\nhello\r\n0\r\n\r\n",
        ),
    ] {
        raw(
            name,
            &body("GET /file.txt", "Transfer-Encoding: chunked\r\n", chunks),
            400,
            Closed,
        );
    }

    // Preconditions and ranges.
    const TAG: &str = "\"1a-ae1b981bc490aff\"";
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    let with = |fields: &str| {
        let fields = fields
            .replace("TAG", TAG)
            .replace("DATE", DATE)
            .replace("EARLIER", EARLIER);
        format!("GET /file.txt HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n").into_bytes()
    };
    for (name, fields, status) in [
        ("If-None-Match, matching", "If-None-Match: TAG", 304),
        (
            "If-None-Match, matching weakly",
            "If-None-Match: \"x\", W/TAG",
            304,
        ),
        ("If-None-Match, any", "If-None-Match: *", 304),
        ("If-None-Match, another", "If-None-Match: \"x\"", 200),
        (
            "If-None-Match wins over If-Modified-Since",
            "If-None-Match: \"x\"\r\nIf-Modified-Since: DATE",
            200,
        ),
        (
            "If-Modified-Since, unmodified",
            "If-Modified-Since: DATE",
            304,
        ),
        (
            "If-Modified-Since, modified",
            "If-Modified-Since: EARLIER",
            200,
        ),
        (
            "If-Modified-Since, in RFC 850's form",
            "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT",
            304,
        ),
        (
            "If-Modified-Since, no date",
            "If-Modified-Since: yesterday",
            200,
        ),
        ("If-Match, matching", "If-Match: TAG", 200),
        ("If-Match, weak never matches", "If-Match: W/TAG", 412),
        ("If-Match, another", "If-Match: \"x\"", 412),
        (
            "If-Unmodified-Since, unmodified",
            "If-Unmodified-Since: DATE",
            200,
        ),
        (
            "If-Unmodified-Since, modified",
            "If-Unmodified-Since: EARLIER",
            412,
        ),
        (
            "If-Match comes first",
            "If-Match: \"x\"\r\nIf-None-Match: TAG",
            412,
        ),
        ("a range", "Range: bytes=2-4", 206),
        ("an open range", "Range: bytes=20-", 206),
        ("a suffix", "Range: bytes=-3", 206),
        ("a suffix longer than the file", "Range: bytes=-300", 206),
        ("a range beyond the end", "Range: bytes=24-99", 206),
        ("a range after the end", "Range: bytes=26-", 416),
        ("an empty suffix", "Range: bytes=-0", 416),
        ("a range backwards", "Range: bytes=4-2", 200),
        ("another unit", "Range: lines=1-2", 200),
        ("no range at all", "Range: bytes=", 200),
        ("a malformed range", "Range: bytes=a-b", 200),
        ("two ranges", "Range: bytes=0-0, -1", 206),
        (
            "ranges, one of them after the end",
            "Range: bytes=0-0,30-40",
            206,
        ),
        ("ranges, all after the end", "Range: bytes=30-40,50-", 416),
        (
            "ranges that add up to more than the file",
            "Range: bytes=0-,0-",
            200,
        ),
        (
            "too many ranges",
            "Range: bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0",
            200,
        ),
        (
            "If-Range, matching",
            "If-Range: TAG\r\nRange: bytes=0-1",
            206,
        ),
        ("If-Range, weak", "If-Range: W/TAG\r\nRange: bytes=0-1", 200),
        (
            "If-Range, another",
            "If-Range: \"x\"\r\nRange: bytes=0-1",
            200,
        ),
        (
            "If-Range, a date",
            "If-Range: DATE\r\nRange: bytes=0-1",
            206,
        ),
        (
            "If-Range, another date",
            "If-Range: EARLIER\r\nRange: bytes=0-1",
            200,
        ),
        (
            "a precondition comes before a range",
            "If-None-Match: TAG\r\nRange: bytes=0-1",
            304,
        ),
    ] {
        raw(name, &with(fields), status, Kept);
    }
    raw(
        "a range of an empty file",
        b"GET /empty.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n",
        200,
        Kept,
    );
    raw(
        "a range and HEAD",
        b"HEAD /file.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n",
        200,
        Kept,
    );
    raw(
        "HEAD, unmodified",
        b"HEAD /file.txt HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n",
        304,
        Kept,
    );
    raw(
        "a range of what is not there",
        b"GET /nowhere HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n",
        404,
        Kept,
    );
    for (name, range) in [
        ("a range beyond 4 GiB", "4294967396-4294967401"),
        ("a suffix of a file of 5 GiB", "-7"),
        ("ranges on both sides of 4 GiB", "0-1,4294967396-4294967401"),
        (
            "the last byte before 4 GiB and the first after",
            "4294967295-4294967296",
        ),
    ] {
        raw(
            name,
            format!("GET /sparse.bin HTTP/1.1\r\nHost: h\r\nRange: bytes={range}\r\n\r\n")
                .as_bytes(),
            206,
            Kept,
        );
    }
    raw(
        "HEAD of a file of 5 GiB",
        b"HEAD /sparse.bin HTTP/1.1\r\nHost: h\r\n\r\n",
        200,
        Kept,
    );
    raw(
        "a range after its end",
        b"GET /sparse.bin HTTP/1.1\r\nHost: h\r\nRange: bytes=5368709127-\r\n\r\n",
        416,
        Kept,
    );
    rows
}

/// Holds a server against the golden file.
pub(crate) fn matches_golden(server: &Server) {
    let rows = rows();
    let answers: Vec<_> = rows.iter().map(|row| ask(server, row)).collect();
    let text: String = rows
        .iter()
        .zip(&answers)
        .map(|(row, answer)| render(row, answer))
        .collect();
    let golden = golden(&text);
    for (found, expected) in text.split("\n\n").zip(golden.split("\n\n")) {
        assert_eq!(
            found, expected,
            "found on the left, golden.txt on the right"
        );
    }
    assert_eq!(text.len(), golden.len(), "rows are missing in golden.txt");
}

/// Sends a row and what follows it, and returns all that comes back, without its dates.
fn ask(server: &Server, row: &Row) -> String {
    let mut client: Client = server.connect();
    client.send([&row.request, NEXT.as_bytes()].concat());
    let (bytes, end) = client.ending();
    let answer = without_dates(&bytes);
    let name = row.name;
    assert_eq!(end, End::Closed, "{name}: {answer}");
    let status = answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok());
    assert_eq!(status, Some(row.status), "{name}: {answer}");
    let then = if answer.len() > NEXT_ANSWER.len() && answer.ends_with(NEXT_ANSWER) {
        Kept
    } else {
        Closed
    };
    assert_eq!(then, row.then, "{name}: {answer}");
    answer
}

/// The bytes as text, the value of every Date replaced.
fn without_dates(bytes: &[u8]) -> String {
    let text = bytes
        .iter()
        .map(|&byte| char::from(byte))
        .collect::<String>();
    let mut pieces = text.split("\r\nDate: ");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (date, rest) = piece.split_at(29);
        assert!(date.ends_with(" GMT"), "{date}");
        let _ = write!(out, "\r\nDate: [now]{rest}");
    }
    out
}

fn render(row: &Row, answer: &str) -> String {
    const SHOWN: usize = 600;
    let (answer, then) = match answer.strip_suffix(NEXT_ANSWER) {
        Some(answer) if row.then == Kept => (answer, "kept"),
        _ => (answer, "closed"),
    };
    let mut text = format!("{}\n", row.name);
    let request = &row.request[..row.request.len().min(SHOWN)];
    for line in request.split_inclusive(|&byte| byte == b'\n') {
        let _ = writeln!(text, "> {}", line.escape_ascii());
    }
    if row.request.len() > SHOWN {
        let _ = writeln!(text, "> ... {} bytes in all", row.request.len());
    }
    for line in answer.split_inclusive('\n') {
        let _ = writeln!(text, "< {}", line.escape_default());
    }
    let _ = writeln!(text, "  {then}\n");
    text
}

/// The golden file; with `ARCHBENCH_BLESS` set, made from `text` by the first that asks.
fn golden(text: &str) -> String {
    static BLESSED: Mutex<bool> = Mutex::new(false);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/golden.txt");
    let mut blessed = BLESSED.lock().expect("no panic");
    if std::env::var_os("ARCHBENCH_BLESS").is_some() && !*blessed {
        std::fs::write(&path, text).expect("the golden file is written");
    }
    *blessed = true;
    std::fs::read_to_string(&path).expect("golden.txt")
}

/// Nobody in particular may not read everything.
fn forbidden(bench: &Bench) {
    // Root may read everything.
    let server = bench.recipe().for_a_stranger().start();
    for path in ["/forbidden.txt", "/closed/file.txt", "/closed/", "/closed"] {
        let answer = server.connect().get(path);
        assert_eq!(
            (answer.status, &answer.body[..]),
            (403, &b"403 Forbidden\n"[..]),
            "{path}"
        );
    }
    assert_eq!(server.connect().get("/file.txt").status, 200);
    server.stop();
}

/// `/proc` is full of links that lead wherever a process has something open.
fn magic_links(bench: &Bench) {
    let own = format!("/proc/{}", std::process::id());
    let server = bench.serve_from(std::path::Path::new(&own), &[]);
    let mut client = server.connect();
    for path in [
        "/exe",
        "/root/etc/passwd",
        "/cwd/Cargo.toml",
        "/fd/0",
        "/task/../root/etc/passwd",
    ] {
        assert_eq!(client.get(path).status, 404, "{path}");
    }
    // Files without a length are served as what they say they are.
    assert_eq!(client.get("/comm").status, 200);
}

fn dotfiles(bench: &Bench) {
    let server = bench.serve(&["--dotfiles"]);
    let mut client = server.connect();
    for path in ["/.hidden", "/.dotdir/file.txt", "/dir/.hidden"] {
        let answer = client.get(path);
        assert_eq!(
            (answer.status, &answer.body[..]),
            (200, &b"hidden\n"[..]),
            "{path}"
        );
    }
}
