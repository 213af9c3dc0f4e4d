//! Header fields: what stands between a good request line and the end.

use super::Rows;
use super::Then::{Closed, Kept};

pub(super) fn add(rows: &mut Rows) {
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
        rows.add(name, &host(fields), status, then);
    }
    rows.add(
        "Transfer-Encoding in HTTP/1.0",
        b"GET /file.txt HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        Closed,
    );
    let many = |count: usize| host(&format!("Host: h\r\n{}", "X: y\r\n".repeat(count - 1)));
    rows.add("as many fields as may be", &many(100), 200, Kept);
    rows.add("a field too many", &many(101), 431, Closed);
    rows.add(
        "a head too long",
        &host(&format!("Host: h\r\nX: {}\r\n", "y".repeat(33_000))),
        431,
        Closed,
    );
    rows.add(
        "a head too long without an end",
        &[&b"GET / HTTP/1.1\r\nX: "[..], &[b'y'; 60_000]].concat(),
        431,
        Closed,
    );
}
