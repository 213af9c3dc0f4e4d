//! Options that change how an answer is made, and not one byte of it.

use crate::site::assert_contents;
use crate::{Bench, Case, golden};

pub(crate) const CASES: &[Case] = &[
    ("send_path_copy", |bench| {
        same_answers(bench, &["--send-path", "copy"])
    }),
    ("no_content_cache", |bench| {
        same_answers(bench, &["--content-cache", "0"])
    }),
    ("a_small_content_cache", |bench| {
        same_answers(
            bench,
            &["--content-cache", "9k", "--content-cache-file", "9k"],
        )
    }),
    ("large_files_in_memory", |bench| {
        same_answers(
            bench,
            &["--content-cache", "40m", "--content-cache-file", "16m"],
        )
    }),
    ("no_name_cache", |bench| {
        same_answers(bench, &["--name-cache", "0"])
    }),
    ("a_small_name_cache", |bench| {
        same_answers(bench, &["--name-cache", "2"])
    }),
    ("no_header_cache", |bench| {
        same_answers(bench, &["--header-cache", "off"])
    }),
    ("no_cache_at_all", |bench| {
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
    ("its_own_options", its_own_options),
    (
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
    let variants: &[&[&str]] = &[
        &["--spawn", "prefork"],
        &["--spawn", "connection"],
        &["--processes", "1"],
        &["--threads", "1"],
        &["--spawn", "prefork", "--threads", "1"],
        &["--queue", "1", "--threads", "1"],
        &["--when-full", "refuse"],
        &["--stack-size", "64k"],
        &["--helpers", "1"],
    ];
    for options in variants {
        let own = options
            .iter()
            .filter(|option| option.starts_with("--"))
            .all(|option| bench.model.has(option));
        if own {
            same_answers(bench, options);
        }
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
