//! What is allocated, and how often: for a request the values and futures that the idea is made of, and for each filter those that it
//! adds.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[allow(dead_code, reason = "other tests ask for more")]
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use support::Server;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

/// Requests that are counted, after some that are not.
const REQUESTS: u64 = 500;

fn main() {
    let own = of(&[]);
    println!("service: {own} for a request");
    // The request's value, the path that is looked for, the service's future and the box that every service of a chain is put into, and
    // the answer. The buffers of the request come back with it.
    assert!((4.9..=5.1).contains(&own), "{own} for a request");
    let bare = of(&["--filters", "noop=64"]);
    let noop = (bare - own) / 64.0;
    println!("noop: {noop}");
    assert!(
        (0.9..=1.1).contains(&noop),
        "{noop} for a filter that does nothing"
    );
    // Beside its own: the count of it, which is two, and the box that each is put into.
    for (list, most) in [
        ("stats", 3.0),
        ("timeout=10s", 5.0),
        ("limit=64", 4.0),
        ("shed,limit=64", 8.0),
        ("retry=1", 4.0),
        ("auth=me:word", 5.0),
        ("cache=1h", 6.0),
    ] {
        let filters = of(&["--filters", list]) - own;
        println!("{list}: {filters}");
        assert!(filters <= most, "{filters} for {list}");
    }
}

/// Allocations for each request of a small file, over a connection that is kept.
fn of(own: &[&str]) -> f64 {
    // A name that is looked up afresh costs something.
    let options = [&["--revalidate", "1h"], own].concat();
    let server = Server::start(&options);
    let mut client = TcpStream::connect(server.address).unwrap();
    let mut ask = || {
        client
            .write_all(
                b"GET /small.txt HTTP/1.1\r\nHost: h\r\nAuthorization: Basic bWU6d29yZA==\r\n\r\n",
            )
            .unwrap();
        let mut answer = [0; 1024];
        let received = client.read(&mut answer).unwrap();
        assert!(answer[..received].ends_with(b"small\n"));
    };
    for _ in 0..REQUESTS {
        ask();
    }
    let before = sys::heap::allocations_of_all_threads();
    for _ in 0..REQUESTS {
        ask();
    }
    let counted = sys::heap::allocations_of_all_threads() - before;
    counted as f64 / REQUESTS as f64
}
