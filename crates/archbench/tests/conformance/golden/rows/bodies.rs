//! Bodies of requests.

use super::Rows;
use super::Then::{Closed, Kept};

pub(super) fn add(rows: &mut Rows) {
    let body = |line: &str, fields: &str, body: &str| {
        format!("{line} HTTP/1.1\r\nHost: h\r\n{fields}\r\n{body}").into_bytes()
    };
    rows.add(
        "a body that looks like a request",
        &body(
            "GET /file.txt",
            "Content-Length: 37\r\n",
            "GET /nowhere HTTP/1.1\r\nHost: evil\r\n\r\n",
        ),
        200,
        Kept,
    );
    rows.add(
        "a chunked body",
        &body(
            "GET /file.txt",
            "Transfer-Encoding: chunked\r\n",
            "5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n",
        ),
        200,
        Kept,
    );
    rows.add(
        "a HEAD with a body",
        &body("HEAD /file.txt", "Content-Length: 5\r\n", "hello"),
        200,
        Kept,
    );
    rows.add(
        "a POST with a body",
        &body("POST /file.txt", "Content-Length: 5\r\n", "hello"),
        405,
        Kept,
    );
    rows.add(
        "a PUT with a chunked body",
        &body(
            "PUT /new",
            "Transfer-Encoding: chunked\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
        405,
        Kept,
    );
    rows.add(
        "a POST with more body than is read",
        &body(
            "POST /file.txt",
            "Content-Length: 100000\r\n",
            &"x".repeat(100_000),
        ),
        405,
        Closed,
    );
    rows.add(
        "the longest body",
        &body(
            "GET /file.txt",
            "Content-Length: 65536\r\n",
            &"x".repeat(65_536),
        ),
        200,
        Kept,
    );
    rows.add(
        "a chunked body too long",
        &body(
            "GET /file.txt",
            "Transfer-Encoding: chunked\r\n",
            &format!("10001\r\n{}\r\n0\r\n\r\n", "x".repeat(65_537)),
        ),
        413,
        Closed,
    );
    rows.add(
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
        rows.add(
            name,
            &body("GET /file.txt", "Transfer-Encoding: chunked\r\n", chunks),
            400,
            Closed,
        );
    }
}
