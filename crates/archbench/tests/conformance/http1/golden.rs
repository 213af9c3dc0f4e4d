//! The answers, byte for byte, whatever is cached and however little a transport takes at a time.

use super::Case;
use super::wire::Place;
use crate::client::get;
use crate::golden::matches;
use crate::site::{Site, assert_of_all_lengths};

pub(crate) const CASES: &[Case] = &[
    ("answers_are_these_bytes", |site| same(site, &[])),
    ("bytes_leave_a_few_at_a_time", |site| {
        same_over(Place::new(site.root(), &[]).taking(100));
    }),
    ("bodies_are_gathered", |site| {
        same(site, &["--gather-from", "1"])
    }),
    ("no_content_cache", |site| {
        same(site, &["--content-cache", "0"])
    }),
    ("a_small_content_cache", |site| {
        same(
            site,
            &["--content-cache", "9k", "--content-cache-file", "9k"],
        );
    }),
    ("large_files_in_memory", |site| {
        same(
            site,
            &["--content-cache", "40m", "--content-cache-file", "16m"],
        );
    }),
    ("no_name_cache", |site| same(site, &["--name-cache", "0"])),
    ("a_small_name_cache", |site| {
        same(site, &["--name-cache", "2"])
    }),
    ("no_header_cache", |site| {
        same(site, &["--header-cache", "off"])
    }),
    ("no_cache_at_all", |site| {
        let caches = [
            "--name-cache",
            "0",
            "--header-cache",
            "off",
            "--content-cache",
            "0",
        ];
        same(site, &caches);
    }),
    ("magic_links_lead_nowhere", magic_links),
    ("dotfiles_are_served_where_asked_for", dotfiles),
    ("ranges_are_as_many_as_allowed", ranges),
];

fn same(site: &Site, options: &[&str]) {
    let place = Place::new(site.root(), options);
    let mut client = place.connect();
    assert_of_all_lengths(|request| {
        client.send(request);
        client.answer()
    });
    same_over(place);
}

fn same_over(place: Place) {
    matches(|request| {
        let mut client = place.connect();
        client.send(request);
        client.read_to_end()
    });
}

/// `/proc` is full of links that lead wherever a process has something open.
fn magic_links(_: &Site) {
    let own = format!("/proc/{}", std::process::id());
    let place = Place::new(std::path::Path::new(&own), &[]);
    let mut client = place.connect();
    for path in [
        "/exe",
        "/root/etc/passwd",
        "/cwd/Cargo.toml",
        "/fd/0",
        "/task/../root/etc/passwd",
    ] {
        assert_eq!(client.get(path).status, 404, "{path}");
    }
    // Files without a length are served as what they say they are.
    assert_eq!(client.get("/comm").status, 200);
}

fn dotfiles(site: &Site) {
    let place = Place::new(site.root(), &["--dotfiles"]);
    let mut client = place.connect();
    for path in ["/.hidden", "/.dotdir/file.txt", "/dir/.hidden"] {
        let answer = client.get(path);
        let found = (answer.status, &answer.body[..]);
        assert_eq!(found, (200, &b"hidden\n"[..]), "{path}");
    }
}

fn ranges(site: &Site) {
    let place = Place::new(site.root(), &["--max-ranges", "2"]);
    let mut client = place.connect();
    for (ranges, status) in [("0-0", 206), ("0-0,2-2", 206), ("0-0,2-2,4-4", 200)] {
        let request =
            get("/file.txt").replace("\r\n\r\n", &format!("\r\nRange: bytes={ranges}\r\n\r\n"));
        client.send(request);
        assert_eq!(client.answer().status, status, "{ranges}");
    }
}
