//! What is asked, and what becomes of it.

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Kept,
    Closed,
}
use Then::{Closed, Kept};

/// A request, and what comes of it.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) request: Vec<u8>,
    pub(super) status: u16,
    pub(super) then: Then,
}

/// A row a line, for rustfmt would make six of each: what it is called, what is sent, and the status that comes back.
macro_rules! table {
    ($($name:literal: $sent:literal => $status:literal $($then:ident)?;)*) => {
        [$(($name, $sent, $status $(, $then)?)),*]
    };
}

pub(super) fn rows() -> Vec<Row> {
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
    for (name, target, status) in table![
        "a file": "/file.txt" => 200;
        "a file from the content cache, beside its head": "/again.txt" => 200;
        "an empty file": "/empty.txt" => 200;
        "the root's index": "/" => 200;
        "the root's index by name": "/index.html" => 200;
        "a directory's index": "/dir/" => 200;
        "a directory without its slash": "/dir" => 301;
        "a directory without its slash, with a query": "/dir?a=b&c=%20" => 301;
        "a directory with a space": "/spaced%20dir" => 301;
        "a redirect never names another host": "//dir" => 301;
        "nor does it after dots": "//evil.example/%2e%2e/dir" => 301;
        "a directory without an index": "/bare" => 404;
        "a directory without an index, with its slash": "/bare/" => 404;
        "a file below it": "/bare/file.txt" => 200;
        "another type": "/dir/deep/x.css" => 200;
        "a query is no part of the name": "/file.txt?x=/../y" => 200;
        "nothing there": "/nowhere" => 404;
        "nothing there, deeper": "/nowhere/deeper" => 404;
        "a file is no directory": "/file.txt/" => 404;
        "nor has it anything below it": "/file.txt/x" => 404;
        "an escape": "/%66ile.txt" => 200;
        "an escaped space": "/a%20b.txt" => 200;
        "an escaped percent sign": "/100%25.txt" => 200;
        "escapes are decoded once": "/%2566ile.txt" => 404;
        "a plus sign is a plus sign": "/a+b.txt" => 404;
        "a name that is no text": "/%ff%fe.txt" => 200;
        "an escaped NUL": "/file.txt%00" => 400;
        "an escaped slash": "/dir%2finner.txt" => 400;
        "a broken escape": "/%zz" => 400;
        "a cut escape": "/%4" => 400;
        "empty segments": "//dir///inner.txt" => 200;
        "dots": "/./dir/./inner.txt" => 200;
        "dots inside the root": "/dir/../file.txt" => 200;
        "dots at the end": "/dir/deep/.." => 200;
        "dots above the root": "/../file.txt" => 404;
        "dots far above the root": "/../../../../etc/passwd" => 404;
        "escaped dots": "/%2e%2e/%2e%2e/etc/passwd" => 404;
        "half-escaped dots": "/dir/.%2E/../../etc/passwd" => 404;
        "dots above the root and back": "/dir/../../x/../file.txt" => 404;
        "backslashes are bytes like others": "/..\\..\\etc\\passwd" => 404;
        "a symbolic link": "/link.txt" => 200;
        "a symbolic link up, inside the root": "/dir/up.txt" => 200;
        "a symbolic link to a symbolic link": "/chain.txt" => 200;
        "a symbolic link of another type": "/styled.css" => 200;
        "a symbolic link to a directory": "/linked-dir" => 301;
        "through it": "/linked-dir/inner.txt" => 200;
        "a symbolic link out of the root": "/out.txt" => 404;
        "a symbolic link to a directory outside": "/out-dir/passwd" => 404;
        "that directory itself": "/out-dir" => 404;
        "a symbolic link that climbs": "/climb.txt" => 404;
        "a symbolic link that goes down and climbs": "/there-and-back.txt" => 404;
        "a loop of symbolic links": "/loop-a" => 404;
        "a symbolic link to nothing": "/dangling" => 404;
        "a magic link": "/magic/etc/passwd" => 404;
        "a FIFO": "/fifo" => 404;
        "a symbolic link to a FIFO": "/dir/to-fifo" => 404;
        "a socket": "/socket" => 404;
        "a dotfile": "/.hidden" => 404;
        "a dotfile in a directory": "/dir/.hidden" => 404;
        "a file in a dot directory": "/.dotdir/file.txt" => 404;
        "an escaped dotfile": "/%2ehidden" => 404;
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
    raw(
        "a method too long",
        &[
            &b"BREW".repeat(3000)[..],
            b" /pot HTTP/1.1\r\nHost: h\r\n\r\n",
        ]
        .concat(),
        501,
        Closed,
    );

    // The request line.
    let line = |line: &str| format!("{line}\r\nHost: h\r\n\r\n").into_bytes();
    for (name, text, status, then) in table![
        "HEAD": "HEAD /file.txt HTTP/1.1" => 200 Kept;
        "HEAD of what is not there": "HEAD /nowhere HTTP/1.1" => 404 Kept;
        "HEAD of a directory without its slash": "HEAD /dir HTTP/1.1" => 301 Kept;
        "OPTIONS of the server": "OPTIONS * HTTP/1.1" => 204 Kept;
        "OPTIONS of a file": "OPTIONS /file.txt HTTP/1.1" => 204 Kept;
        "POST": "POST /file.txt HTTP/1.1" => 405 Kept;
        "PUT": "PUT /file.txt HTTP/1.1" => 405 Kept;
        "DELETE": "DELETE /file.txt HTTP/1.1" => 405 Kept;
        "PATCH": "PATCH /file.txt HTTP/1.1" => 405 Kept;
        "TRACE": "TRACE /file.txt HTTP/1.1" => 405 Kept;
        "CONNECT": "CONNECT h:80 HTTP/1.1" => 405 Kept;
        "an unknown method": "BREW /pot HTTP/1.1" => 501 Closed;
        "a method in lower case": "get /file.txt HTTP/1.1" => 501 Closed;
        "a method that is no token": "G@T /file.txt HTTP/1.1" => 400 Closed;
        "an asterisk with GET": "GET * HTTP/1.1" => 400 Closed;
        "an authority with GET": "GET h:80 HTTP/1.1" => 400 Closed;
        "an absolute target": "GET http://other.example/file.txt HTTP/1.1" => 200 Kept;
        "an absolute target without a path": "GET http://other.example HTTP/1.1" => 200 Kept;
        "an absolute target with a user": "GET http://u@other.example/ HTTP/1.1" => 400 Closed;
        "a fragment": "GET /file.txt#x HTTP/1.1" => 400 Kept;
        "a space in the target": "GET /a b.txt HTTP/1.1" => 400 Closed;
        "two spaces": "GET  /file.txt HTTP/1.1" => 400 Closed;
        "a tab": "GET\t/file.txt HTTP/1.1" => 400 Closed;
        "a space at the end": "GET /file.txt HTTP/1.1 " => 400 Closed;
        "HTTP/0.9": "GET /file.txt" => 400 Closed;
        "HTTP/1": "GET /file.txt HTTP/1" => 400 Closed;
        "http/1.1": "GET /file.txt http/1.1" => 400 Closed;
        "HTTP/01.1": "GET /file.txt HTTP/01.1" => 400 Closed;
        "HTTP/1.2": "GET /file.txt HTTP/1.2" => 200 Kept;
        "HTTP/2.0": "GET /file.txt HTTP/2.0" => 505 Closed;
        "noise": "\x16\x03\x01" => 400 Closed;
    ] {
        raw(name, &line(text), status, then);
    }
    for (name, request, status, then) in table![
        "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" => 505 Closed;
        "an empty line first": "\r\nGET /file.txt HTTP/1.1\r\nHost: h\r\n\r\n" => 200 Kept;
        "two empty lines first": "\r\n\r\nGET /file.txt HTTP/1.1\r\nHost: h\r\n\r\n" => 400 Closed;
        "line feeds alone": "GET /file.txt HTTP/1.1\nHost: h\n\n" => 400 Closed;
        "a line feed alone, once": "GET /file.txt HTTP/1.1\r\nHost: h\nX: y\r\n\r\n" => 400 Closed;
        "a carriage return alone": "GET /file.txt HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n" => 400 Closed;
        "a raw NUL in the target": "GET /file\0.txt HTTP/1.1\r\nHost: h\r\n\r\n" => 400 Closed;
        "HTTP/1.0": "GET /file.txt HTTP/1.0\r\n\r\n" => 200 Closed;
        "HTTP/1.0, asked to be kept": "GET /file.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" => 200 Kept;
    ] {
        raw(name, request.as_bytes(), status, then);
    }

    // Header fields: what stands between a good request line and the end.
    let host = |fields: &str| format!("GET /file.txt HTTP/1.1\r\n{fields}\r\n").into_bytes();
    for (name, fields, status, then) in table![
        "no Host": "" => 400 Closed;
        "Host twice": "Host: h\r\nHost: h\r\n" => 400 Closed;
        "an empty Host": "Host:\r\n" => 200 Kept;
        "a Host with a path": "Host: a/b\r\n" => 400 Closed;
        "a Host with a user": "Host: u@h\r\n" => 400 Closed;
        "a list of Hosts": "Host: a,b\r\n" => 400 Closed;
        "a Host with a port": "Host: h:8080\r\n" => 200 Kept;
        "a Host with an IPv6 address": "Host: [::1]:8080\r\n" => 200 Kept;
        "a Host with an address of a version to come": "Host: [v1.a:b]\r\n" => 200 Kept;
        "a Host with brackets round a name": "Host: [h]\r\n" => 400 Closed;
        "a folded field": "Host: h\r\nX: a\r\n b\r\n" => 400 Closed;
        "a space before the colon": "Host: h\r\nX : a\r\n" => 400 Closed;
        "a space before the first field": " Host: h\r\n" => 400 Closed;
        "a name that is no token": "Host: h\r\nX@Y: a\r\n" => 400 Closed;
        "a field without a colon": "Host: h\r\nX\r\n" => 400 Closed;
        "a field without a name": "Host: h\r\n: a\r\n" => 400 Closed;
        "a control byte in a value": "Host: h\r\nX: a\x01b\r\n" => 400 Closed;
        "NUL in a value": "Host: h\r\nX: a\0b\r\n" => 400 Closed;
        "Connection: close": "Host: h\r\nConnection: close\r\n" => 200 Closed;
        "Connection: close among others": "Host: h\r\nConnection: x, CLOSE, y\r\n" => 200 Closed;
        "an expectation that cannot be met": "Host: h\r\nExpect: wonders\r\n" => 417 Kept;
        "an expectation without a body": "Host: h\r\nExpect: 100-continue\r\n" => 200 Kept;
        "an unknown transfer coding": "Host: h\r\nTransfer-Encoding: gzip, chunked\r\n" => 501 Closed;
        "a transfer coding that has no end": "Host: h\r\nTransfer-Encoding: gzip\r\n" => 400 Closed;
        "Transfer-Encoding and Content-Length": "Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n" => 400 Closed;
        "chunked twice": "Host: h\r\nTransfer-Encoding: chunked, chunked\r\n" => 400 Closed;
        "chunked, not last": "Host: h\r\nTransfer-Encoding: chunked, gzip\r\n" => 400 Closed;
        "an empty Transfer-Encoding": "Host: h\r\nTransfer-Encoding:\r\n" => 400 Closed;
        "a length with a plus sign": "Host: h\r\nContent-Length: +5\r\n" => 400 Closed;
        "a negative length": "Host: h\r\nContent-Length: -1\r\n" => 400 Closed;
        "a hexadecimal length": "Host: h\r\nContent-Length: 0x5\r\n" => 400 Closed;
        "an empty length": "Host: h\r\nContent-Length:\r\n" => 400 Closed;
        "an overflowing length": "Host: h\r\nContent-Length: 18446744073709551616\r\n" => 400 Closed;
        "lengths that differ": "Host: h\r\nContent-Length: 0\r\nContent-Length: 1\r\n" => 400 Closed;
        "a body too long": "Host: h\r\nContent-Length: 65537\r\n" => 413 Closed;
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
        (
            "a chunk extension without a name",
            "5;\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "a chunk extension in quotes that do not end",
            "5;a=\"b\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "a chunk extension in brackets",
            "5;[a]\r\nhello\r\n0\r\n\r\n",
        ),
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
    const TAG: &str = "\"1a-ae1b981bc490aff-[changed]\"";
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    let with = |fields: &str| {
        let fields = fields
            .replace("TAG", TAG)
            .replace("DATE", DATE)
            .replace("EARLIER", EARLIER);
        format!("GET /file.txt HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n").into_bytes()
    };
    for (name, fields, status) in table![
        "If-None-Match, matching": "If-None-Match: TAG" => 304;
        "If-None-Match, matching weakly": "If-None-Match: \"x\", W/TAG" => 304;
        "If-None-Match, any": "If-None-Match: *" => 304;
        "If-None-Match, another": "If-None-Match: \"x\"" => 200;
        "If-None-Match wins over If-Modified-Since": "If-None-Match: \"x\"\r\nIf-Modified-Since: DATE" => 200;
        "If-Modified-Since, unmodified": "If-Modified-Since: DATE" => 304;
        "If-Modified-Since, modified": "If-Modified-Since: EARLIER" => 200;
        "If-Modified-Since, in RFC 850's form": "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT" => 304;
        "If-Modified-Since, a leap second": "If-Modified-Since: Sat, 31 Dec 2016 23:59:60 GMT" => 304;
        "If-Modified-Since, no date": "If-Modified-Since: yesterday" => 200;
        "If-Match, matching": "If-Match: TAG" => 200;
        "If-Match, weak never matches": "If-Match: W/TAG" => 412;
        "If-Match, another": "If-Match: \"x\"" => 412;
        "If-Unmodified-Since, unmodified": "If-Unmodified-Since: DATE" => 200;
        "If-Unmodified-Since, modified": "If-Unmodified-Since: EARLIER" => 412;
        "If-Match comes first": "If-Match: \"x\"\r\nIf-None-Match: TAG" => 412;
        "a range": "Range: bytes=2-4" => 206;
        "an open range": "Range: bytes=20-" => 206;
        "a suffix": "Range: bytes=-3" => 206;
        "a suffix longer than the file": "Range: bytes=-300" => 206;
        "a range beyond the end": "Range: bytes=24-99" => 206;
        "a range after the end": "Range: bytes=26-" => 416;
        "an empty suffix": "Range: bytes=-0" => 416;
        "a range backwards": "Range: bytes=4-2" => 200;
        "another unit": "Range: lines=1-2" => 200;
        "no range at all": "Range: bytes=" => 200;
        "a malformed range": "Range: bytes=a-b" => 200;
        "two ranges": "Range: bytes=0-0, -1" => 206;
        "ranges, one of them after the end": "Range: bytes=0-0,30-40" => 206;
        "ranges, all after the end": "Range: bytes=30-40,50-" => 416;
        "ranges that add up to more than the file": "Range: bytes=0-,0-" => 200;
        "twenty ranges": "Range: bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15,16-16,17-17,18-18,19-19" => 206;
        "If-Range, matching": "If-Range: TAG\r\nRange: bytes=0-1" => 206;
        "If-Range, weak": "If-Range: W/TAG\r\nRange: bytes=0-1" => 200;
        "If-Range, another": "If-Range: \"x\"\r\nRange: bytes=0-1" => 200;
        "If-Range, a date": "If-Range: DATE\r\nRange: bytes=0-1" => 206;
        "If-Range, two ranges": "If-Range: TAG\r\nRange: bytes=0-0, -1" => 206;
        "If-Range, another date": "If-Range: EARLIER\r\nRange: bytes=0-1" => 200;
        "a precondition comes before a range": "If-None-Match: TAG\r\nRange: bytes=0-1" => 304;
    ] {
        raw(name, &with(fields), status, Kept);
    }
    for (name, request, status, then) in table![
        "a range of an empty file": "GET /empty.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n" => 200 Kept;
        "a range and HEAD": "HEAD /file.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n" => 200 Kept;
        "HEAD, unmodified": "HEAD /file.txt HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n" => 304 Kept;
        "a range of what is not there": "GET /nowhere HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n" => 404 Kept;
    ] {
        raw(name, request.as_bytes(), status, then);
    }
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
