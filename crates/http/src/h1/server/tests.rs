//! What a connection and its buffers hold on to.

use super::*;
use crate::buffer::MAX_SPARE_BYTES;
use crate::config::Config;
use std::sync::Arc;

/// Bytes that the connection and the scratch hold on to.
fn held(connection: &Connection, scratch: &Scratch) -> usize {
    let exchange = connection.exchange.as_ref();
    exchange.map_or(0, |exchange| exchange.capacity()) + scratch.out.capacity()
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let config = Arc::new(Config::default());
    // Twice the head, since a vector grows by doubling; the same again for what is made of it.
    let bound = 4 * config.max_head + 4096;
    for begin in [
        "",
        "G",
        "GET /",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nA: ",
        "GET / HTTP/1.1\r\nIf-None-Match: ",
        "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;",
        "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n",
    ] {
        for again in [
            "a",
            "a\r\n",
            "If-Match: \"a\"\r\n",
            "\r",
            "0\r\n",
            "\r\n",
            "/%41",
        ] {
            for piece in [1, 1000, 100_000] {
                let mut scratch = Scratch::new(config.clone());
                let mut connection = Connection::new();
                let endless = again.repeat(300_000 / again.len());
                connection.receive(begin.as_bytes(), &mut scratch);
                for input in endless.as_bytes().chunks(piece) {
                    connection.receive(input, &mut scratch);
                    assert!(held(&connection, &scratch) < bound, "{begin:?} {again:?}");
                }
            }
        }
    }
}

#[test]
fn an_exchange_given_back_is_small() {
    let mut scratch = Scratch::new(Arc::new(Config::default()));
    let mut connection = Connection::new();
    let fields = format!("If-None-Match: {}\r\n", "\"a\", ".repeat(3000));
    let head = format!(
        "OPTIONS /{} HTTP/1.1\r\nHost: h\r\n{fields}\r\n",
        "a".repeat(8000)
    );
    for byte in head.as_bytes() {
        connection.receive(&[*byte], &mut scratch);
    }
    assert_eq!(scratch.finished.len(), 1);
    assert!(connection.exchange.is_none());
    assert!(scratch.lend().capacity() <= 5 * MAX_SPARE_BYTES);
}
