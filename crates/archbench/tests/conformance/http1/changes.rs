//! Files that change while they are cached, on a clock that is told the time.

use std::fs;
use std::time::{Duration, UNIX_EPOCH};

use super::Case;
use super::wire::Place;
use crate::client::last_get;
use crate::site::{Garden, Site, contents};

pub(crate) const CASES: &[Case] = &[
    ("are_seen_within_a_second", are_seen_within_a_second),
    ("are_seen_in_every_state", are_seen_in_every_state),
    ("that_cut_a_file_in_memory", that_cut_a_file_in_memory),
    (
        "that_keep_length_and_date_change_the_tag",
        that_keep_length_and_date_change_the_tag,
    ),
    ("of_kind_and_right", of_kind_and_right),
];

/// As long as it takes a file to be what it is for good: its times have only so many ticks.
const SETTLES: Duration = Duration::from_millis(25);

/// What a client of its own is answered: the status, how much is promised, and what comes.
fn ask(place: &Place, path: &str) -> (u16, usize, Vec<u8>) {
    let mut client = place.connect();
    client.send(last_get(path));
    let head = client.head();
    (head.status, head.content_length(), client.read_to_end())
}

#[track_caller]
fn is_now(place: &Place, path: &str, status: u16, body: Option<&[u8]>) {
    let (found, _, bytes) = ask(place, path);
    assert_eq!(found, status, "{path}");
    assert!(
        body.is_none_or(|body| body == bytes),
        "{path}: {} bytes",
        bytes.len()
    );
}

/// Not before, and no later than that.
fn are_seen_within_a_second(_: &Site) {
    let garden = Garden::new();
    garden.write("file.txt", "old");
    let place = Place::new(garden.root(), &[]);
    is_now(&place, "/file.txt", 200, Some(b"old"));
    garden.replace("file.txt", "new");
    place.pass(Duration::from_millis(900));
    is_now(&place, "/file.txt", 200, Some(b"old"));
    place.pass(Duration::from_millis(200));
    is_now(&place, "/file.txt", 200, Some(b"new"));
}

/// Creating, replacing, growing, shrinking, deleting, for a file in memory and one that is sent from the disk.
fn are_seen_in_every_state(_: &Site) {
    for options in [
        &["--revalidate", "20ms"][..],
        &["--revalidate", "0"],
        &["--name-cache", "0", "--content-cache", "0"],
    ] {
        let garden = Garden::new();
        let place = Place::new(garden.root(), options);
        let becomes = |status, body: Option<&[u8]>| {
            place.pass(Duration::from_millis(20));
            is_now(&place, "/file.txt", status, body);
        };
        becomes(404, None);
        for length in [3, 100_000] {
            let first = vec![b'a'; length];
            let second = vec![b'b'; length];
            garden.write("file.txt", &first);
            becomes(200, Some(&first));
            garden.replace("file.txt", &second);
            becomes(200, Some(&second));
            garden.append("file.txt", b"more");
            becomes(200, Some(&[&second[..], b"more"].concat()));
            garden.truncate("file.txt", 2);
            becomes(200, Some(b"bb"));
            // Written over in place, with the same length; the clock that files are stamped with ticks every few milliseconds.
            std::thread::sleep(SETTLES);
            garden.write("file.txt", b"cc");
            becomes(200, Some(b"cc"));
            fs::remove_file(garden.at("file.txt")).unwrap();
            becomes(404, None);
        }
    }
}

/// Files that are at hand in memory: what was found is what is sent, or the connection ends.
fn that_cut_a_file_in_memory(_: &Site) {
    let garden = Garden::new();
    let place = Place::new(garden.root(), &["--revalidate", "0"]);
    for round in 0..40 {
        let (long, short) = (contents("a", 8000), contents("b", 4000));
        garden.write("file.bin", &long);
        is_now(&place, "/file.bin", 200, Some(&long));
        if round % 2 == 0 {
            garden.truncate("file.bin", 100);
            is_now(&place, "/file.bin", 200, Some(&long[..100]));
        } else {
            garden.replace("file.bin", &short);
            is_now(&place, "/file.bin", 200, Some(&short));
        }
    }
}

/// As archives and images are made whose files all have one date.
fn that_keep_length_and_date_change_the_tag(_: &Site) {
    let garden = Garden::new();
    let dated = |name: &str, text: &str| {
        garden.write(name, text);
        let file = fs::File::options().write(true).open(garden.at(name));
        file.unwrap().set_modified(UNIX_EPOCH).unwrap();
    };
    dated("file.txt", "old");
    let place = Place::new(garden.root(), &["--revalidate", "0"]);
    let old = place.connect().get("/file.txt");
    let tag = old.field("ETag").expect("a tag");
    // The clock that files are stamped with ticks every few milliseconds.
    std::thread::sleep(SETTLES);
    dated(".new", "new");
    fs::rename(garden.at(".new"), garden.at("file.txt")).unwrap();
    for (fields, status, body) in [
        (format!("If-None-Match: {tag}"), 200, "new"),
        (format!("If-Match: {tag}"), 412, "412 Precondition Failed\n"),
        // Two versions are not to be joined.
        (format!("If-Range: {tag}\r\nRange: bytes=2-"), 200, "new"),
    ] {
        let mut client = place.connect();
        client.send(format!(
            "GET /file.txt HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n"
        ));
        let answer = client.answer();
        let found = (answer.status, &answer.body[..]);
        assert_eq!(found, (status, body.as_bytes()), "{fields}");
    }
}

/// A file becomes a directory, a symbolic link out, something that may not be served.
fn of_kind_and_right(_: &Site) {
    let garden = Garden::new();
    garden.write("it", "file\n");
    let place = Place::new(garden.root(), &["--revalidate", "10ms"]);
    let becomes = |path: &str, status, body: Option<&[u8]>| {
        place.pass(Duration::from_millis(10));
        is_now(&place, path, status, body);
    };
    becomes("/it", 200, Some(b"file\n"));
    fs::remove_file(garden.at("it")).unwrap();
    garden.write("it/index.html", "index\n");
    becomes("/it", 301, None);
    becomes("/it/", 200, Some(b"index\n"));
    fs::remove_dir_all(garden.at("it")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", garden.at("it")).unwrap();
    becomes("/it", 404, None);
    becomes("/it/", 404, None);
    fs::remove_file(garden.at("it")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        garden.at("it"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    becomes("/it", 404, None);
    fs::remove_file(garden.at("it")).unwrap();
    garden.write("it", "again\n");
    becomes("/it", 200, Some(b"again\n"));
}
