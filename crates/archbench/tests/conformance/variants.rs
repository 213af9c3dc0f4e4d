//! Options that change who makes an answer or how it leaves, and not one byte of it.

use crate::case::{Bench, Case, case};
use crate::golden;
use crate::server::Server;
use crate::site::assert_of_all_lengths;

pub(crate) const CASES: &[Case] = &[
    case("send_path_copy", |bench| {
        same_bodies(&bench.serve(&["--send-path", "copy"]))
    }),
    case("its_own_options", its_own_options),
    case(
        "an_address_of_the_other_family",
        an_address_of_the_other_family,
    ),
];

fn same_bodies(server: &Server) {
    let mut client = server.connect();
    assert_of_all_lengths(|request| {
        client.send(request);
        client.answer()
    });
}

fn its_own_options(bench: &Bench) {
    for settings in bench.room.nature().settings {
        let options: Vec<_> = settings.split_whitespace().collect();
        let server = bench.serve(&options);
        golden::matches_golden(&server);
        same_bodies(&server);
        server.stop();
    }
}

fn an_address_of_the_other_family(bench: &Bench) {
    if bench.room.has_own_stack() {
        let serve = ["--addr", "[::1]:0", "--root", "."];
        return crate::usage::fails(&bench.room, &serve, &["cannot listen on", "IPv4"]);
    }
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        // A machine without IPv6.
        return;
    }
    let mut server = bench.recipe().at("[::1]:0").start();
    assert_eq!(server.connect().get("/file.txt").status, 200);
    assert!(server.address.is_ipv6());
    server.ready.take();
    server.stop();
}
