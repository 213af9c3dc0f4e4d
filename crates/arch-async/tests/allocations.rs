//! What is allocated, and how often: nothing for a request in steady state, a few times for a connection, and twice for each work that
//! goes to the pool.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../../arch/tests/support/allocations.rs"]
mod allocations;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use arch::{Architecture, ServeOptions, ServerSetup};
use arch_async::Async;
use clap::Parser;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

fn main() {
    allocations::none_in_steady_state::<Async>(&[]);
    a_connection_costs_a_few();
    a_work_for_the_pool_costs_little();
}

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    room: Async,
}

/// Serves a file in another thread until the process ends.
fn serve(own: &[&str]) -> SocketAddr {
    let root = tempfile::tempdir().unwrap().keep();
    std::fs::write(root.join("file.txt"), "file\n").unwrap();
    let arguments = ["test", "--addr", "127.0.0.1:0", "--revalidate", "1h"];
    let line = CommandLine::parse_from(arguments.iter().chain(own));
    let setup = ServerSetup::new(line.options, &root).unwrap();
    std::fs::remove_file(root.join("file.txt")).unwrap();
    let address = setup.listener.address().ip().unwrap();
    std::thread::spawn(move || line.room.serve(setup, || ()).unwrap());
    address
}

/// A request for a file that is not there, over a connection that is kept or closed.
fn ask(client: &mut TcpStream, ends: bool) {
    let close = if ends { "Connection: close\r\n" } else { "" };
    let mut request = [0; 64];
    let mut rest = &mut request[..];
    write!(rest, "GET /file.txt HTTP/1.1\r\nHost: h\r\n{close}\r\n").unwrap();
    let left = rest.len();
    client.write_all(&request[..64 - left]).unwrap();
    let mut answer = [0; 1024];
    let received = client.read(&mut answer).unwrap();
    assert!(answer[..received].starts_with(b"HTTP/1.1 404 "));
    if ends {
        while client.read(&mut answer).unwrap() > 0 {}
    }
}

/// How often something was allocated for each of `count` times that `work` was done, the first of which do not count.
fn each(count: u64, mut work: impl FnMut()) -> f64 {
    for _ in 0..200 {
        work();
    }
    let before = sys::heap::allocations_of_all_threads();
    for _ in 0..count {
        work();
    }
    (sys::heap::allocations_of_all_threads() - before) as f64 / count as f64
}

/// Its client, its task, its socket's place with the runtime, its timer: once, however many requests follow. One for a single request that
/// had come with it is over before the runtime hears of its socket, as a rule, and takes no more than others in any case.
fn a_connection_costs_a_few() {
    let address = serve(&["--disk", "inline"]);
    let mut client = TcpStream::connect(address).unwrap();
    let request = each(500, || ask(&mut client, false));
    let own = |requests: f64, work: &mut dyn FnMut()| each(500, work) - requests * request;
    let kept = own(2.0, &mut || {
        let mut client = TcpStream::connect(address).unwrap();
        ask(&mut client, false);
        ask(&mut client, true);
    });
    assert!((4.0..6.0).contains(&kept), "{kept} for a connection");
    let short = own(1.0, &mut || {
        ask(&mut TcpStream::connect(address).unwrap(), true);
    });
    assert!(
        (2.9..kept + 0.1).contains(&short),
        "{short} for a connection of one request"
    );
}

/// Beyond what looking the name up costs, wherever that is done: a task, and the buffer of a path that stays with the pool.
fn a_work_for_the_pool_costs_little() {
    let never_kept = ["--name-cache", "0", "--disk"];
    let of = |disk| {
        let mut client = TcpStream::connect(serve(&[&never_kept[..], &[disk]].concat())).unwrap();
        each(500, || ask(&mut client, false))
    };
    let (inline, pool) = (of("inline"), of("pool"));
    let own = pool - inline;
    assert!(
        (1.9..2.1).contains(&own),
        "{own} for a work: {pool} and {inline}"
    );
}
