//! A session and its client joined in memory: no socket, no sleeping, time that the test tells.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod answers;
mod events;
mod late;
mod memory;
mod owners;
mod sources;
mod transport;

/// Requests of all kinds, the last of which closes; and how their answers begin.
const REQUESTS: &str = "GET /small.txt HTTP/1.1\r\nHost: h\r\n\r\n\
    HEAD /kept.bin HTTP/1.1\r\nHost: h\r\n\r\n\
    GET /kept.bin HTTP/1.1\r\nHost: h\r\nRange: bytes=1-3,7-9\r\n\r\n\
    GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n\
    POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12345\
    GET /large.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
const STATUSES: [u16; 6] = [200, 200, 206, 404, 405, 200];
