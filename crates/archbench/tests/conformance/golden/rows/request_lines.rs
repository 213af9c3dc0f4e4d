//! Request lines, and what comes in the place of one.

use super::Rows;
use super::Then::{Closed, Kept};

pub(super) fn add(rows: &mut Rows) {
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
        rows.add(name, &line(text), status, then);
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
        rows.add(name, request.as_bytes(), status, then);
    }
}
