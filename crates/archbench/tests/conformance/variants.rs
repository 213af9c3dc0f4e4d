//! Options that change how an answer is made, and not one byte of it.

use crate::case::{Bench, Case, case};
use crate::golden;
use crate::site::assert_contents;

pub(crate) const CASES: &[Case] = &[
    case("send_path_copy", |bench| {
        same_answers(bench, &["--send-path", "copy"])
    }),
    case("no_content_cache", |bench| {
        same_answers(bench, &["--content-cache", "0"])
    }),
    case("a_small_content_cache", |bench| {
        same_answers(
            bench,
            &["--content-cache", "9k", "--content-cache-file", "9k"],
        )
    }),
    case("large_files_in_memory", |bench| {
        same_answers(
            bench,
            &["--content-cache", "40m", "--content-cache-file", "16m"],
        )
    }),
    case("no_name_cache", |bench| {
        same_answers(bench, &["--name-cache", "0"])
    }),
    case("a_small_name_cache", |bench| {
        same_answers(bench, &["--name-cache", "2"])
    }),
    case("no_header_cache", |bench| {
        same_answers(bench, &["--header-cache", "off"])
    }),
    case("no_cache_at_all", |bench| {
        same_answers(
            bench,
            &[
                "--name-cache",
                "0",
                "--header-cache",
                "off",
                "--content-cache",
                "0",
                "--send-path",
                "copy",
            ],
        );
    }),
    case("its_own_options", its_own_options),
    case(
        "an_address_of_the_other_family",
        an_address_of_the_other_family,
    ),
];

fn same_answers(bench: &Bench, options: &[&str]) {
    let server = bench.serve(options);
    golden::matches_golden(&server);
    // The second time out of whatever caches there are.
    let mut client = server.connect();
    for name in [
        "kept.bin",
        "medium.bin",
        "large.bin",
        "kept.bin",
        "large.bin",
    ] {
        assert_contents(name, 0, &client.get(&format!("/{name}")).body);
    }
    drop(client);
    server.stop();
}

fn its_own_options(bench: &Bench) {
    for settings in bench.room.nature().settings {
        let options: Vec<_> = settings.split_whitespace().collect();
        same_answers(bench, &options);
    }
}

fn an_address_of_the_other_family(bench: &Bench) {
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
