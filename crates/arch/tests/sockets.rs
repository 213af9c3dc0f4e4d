//! Several sockets at one address are one server's.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use arch::{ServeOptions, ServerSetup, Sockets};
use clap::Parser;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

fn listen(count: usize, address: &str) -> std::io::Result<ServerSetup> {
    let root = tempfile::tempdir().unwrap();
    let CommandLine { options } = CommandLine::parse_from(["test", "--addr", address]);
    let otherwise = "--accept shared";
    ServerSetup::with_sockets(Sockets { count, otherwise }, options, root.path())
}

#[test]
fn an_address_with_several_sockets_is_taken_for_everybody_else() {
    let first = listen(3, "127.0.0.1:0").unwrap();
    let address = first.listener.address().to_string();
    for sockets in [1, 3] {
        let complaint = listen(sockets, &address).unwrap_err().to_string();
        assert!(
            complaint.contains("another server has it"),
            "{sockets}: {complaint}"
        );
    }
}
