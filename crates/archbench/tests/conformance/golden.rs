//! The answers, byte for byte.
//!
//! `golden.txt` holds every request and the whole of what comes back, apart from Date and the change times of files, which
//! nobody can set; the statuses are stated here a
//! second time, so that a golden file made from a wrong server does not pass. After each request the same connection
//! carries another one: its answer shows that the connection was kept and that the two were told apart, its absence that
//! the connection was closed, and the end without a reset that what was unread did no harm.
//!
//! `ARCHBENCH_BLESS=1 cargo test -p archbench --test conformance golden` writes the file anew.

mod rows;

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use rustix::fs::{CWD, FileType, Mode, inotify, mknodat};

use rows::Then::{Closed, Kept};
use rows::{Row, rows};

use crate::case::{Bench, Case, case, case_of_each_behaviour};
use crate::client::{Answer, Client, End, last_get};
use crate::server::{Recipe, Server};
use crate::site::Garden;

pub(crate) const CASES: &[Case] = &[
    case_of_each_behaviour("answers_are_these_bytes", |bench| {
        matches_golden(&bench.serve(&[]))
    }),
    case("what_may_not_be_read_is_403", forbidden),
    case(
        "what_may_be_entered_and_not_listed_is_served",
        entered_not_listed,
    ),
    case("a_fifo_has_no_reader", fifo),
    case("what_cannot_be_read_is_500", unreadable),
];

/// What follows every request.
const NEXT: &str = "GET /again.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
/// And its answer.
const NEXT_ANSWER: &str = "HTTP/1.1 200 OK\r\nServer: archbench\r\nDate: [now]\r\nConnection: close\r\n\
    Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"6-ae1b981bc490aff-[changed]\"\r\nAccept-Ranges: bytes\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 6\r\n\r\nagain\n";

/// Holds a server against the golden file.
pub(crate) fn matches_golden(server: &Server) {
    matches(|request| {
        let mut client: Client = server.connect();
        client.send(request);
        let (bytes, end) = client.ending();
        assert_eq!(end, End::Closed, "{}", String::from_utf8_lossy(&bytes));
        bytes
    });
}

/// Holds against the golden file what is answered on a connection of its own, up to its end.
pub(crate) fn matches(exchange: impl Fn(&[u8]) -> Vec<u8>) {
    matches_every(1, exchange);
}

/// The same for every `step`-th row.
pub(crate) fn matches_every(step: usize, exchange: impl Fn(&[u8]) -> Vec<u8>) {
    let rows: Vec<_> = rows().into_iter().step_by(step).collect();
    let mut file = exchange(last_get("/file.txt").as_bytes());
    let file = Answer::head_in(&mut file).expect("an answer");
    let tag = file.field("ETag").expect("a tag");
    let changed = tag.rsplit(['-', '"']).nth(1).expect("three parts");
    let answers: Vec<_> = rows
        .iter()
        .map(|row| ask(&exchange, row, changed))
        .collect();
    let text: String = rows
        .iter()
        .zip(&answers)
        .map(|(row, answer)| render(row, answer))
        .collect();
    let golden = match step {
        1 => golden(&text),
        _ => golden("").split_inclusive("\n\n").step_by(step).collect(),
    };
    for (found, expected) in text.split("\n\n").zip(golden.split("\n\n")) {
        assert_eq!(
            found, expected,
            "found on the left, golden.txt on the right"
        );
    }
    assert_eq!(text.len(), golden.len(), "rows are missing in golden.txt");
}

/// What the rows ask, each with its name; `changed` is the change time of the file that some of them name.
pub(crate) fn requests(changed: &str) -> Vec<(&'static str, Vec<u8>)> {
    let request = |row: Row| (row.name, with_change_time(&row.request, changed));
    rows().into_iter().map(request).collect()
}

fn with_change_time(request: &[u8], changed: &str) -> Vec<u8> {
    match std::str::from_utf8(request) {
        Ok(text) => text.replace("[changed]", changed).into_bytes(),
        Err(_) => request.to_vec(),
    }
}

/// Sends a row, which may name the change time of its file, and what follows it, and returns all that comes back, without
/// its times.
fn ask(exchange: impl Fn(&[u8]) -> Vec<u8>, row: &Row, changed: &str) -> String {
    let request = with_change_time(&row.request, changed);
    let bytes = exchange(&[&request, NEXT.as_bytes()].concat());
    let answer = without_change_times(&without_dates(&bytes));
    let name = row.name;
    let status = answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok());
    assert_eq!(status, Some(row.status), "{name}: {answer}");
    let then = if answer.len() > NEXT_ANSWER.len() && answer.ends_with(NEXT_ANSWER) {
        Kept
    } else {
        Closed
    };
    assert_eq!(then, row.then, "{name}: {answer}");
    answer
}

/// The bytes as text, the value of every Date replaced.
fn without_dates(bytes: &[u8]) -> String {
    let text = bytes
        .iter()
        .map(|&byte| char::from(byte))
        .collect::<String>();
    let mut pieces = text.split("\r\nDate: ");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (date, rest) = piece.split_at(29);
        assert!(date.ends_with(" GMT"), "{date}");
        let _ = write!(out, "\r\nDate: [now]{rest}");
    }
    out
}

/// The text, the last part of every entity tag replaced, also where a boundary is made of it.
fn without_change_times(text: &str) -> String {
    let mut out = text.to_owned();
    for line in text.split("\r\nETag: ").skip(1) {
        let (tag, _) = line.split_once("\"\r\n").expect("a tag has an end");
        let (_, changed) = tag.rsplit_once('-').expect("a tag has three parts");
        assert!(u64::from_str_radix(changed, 16).is_ok(), "{tag}");
        out = out.replace(&format!("-{changed}"), "-[changed]");
    }
    out
}

fn render(row: &Row, answer: &str) -> String {
    const SHOWN: usize = 600;
    let (answer, then) = match answer.strip_suffix(NEXT_ANSWER) {
        Some(answer) if row.then == Kept => (answer, "kept"),
        _ => (answer, "closed"),
    };
    let mut text = format!("{}\n", row.name);
    let request = &row.request[..row.request.len().min(SHOWN)];
    for line in request.split_inclusive(|&byte| byte == b'\n') {
        let _ = writeln!(text, "> {}", line.escape_ascii());
    }
    if row.request.len() > SHOWN {
        let _ = writeln!(text, "> ... {} bytes in all", row.request.len());
    }
    for line in answer.split_inclusive('\n') {
        let _ = writeln!(text, "< {}", line.escape_default());
    }
    let _ = writeln!(text, "  {then}\n");
    text
}

/// The golden file; with `ARCHBENCH_BLESS` set, made from `text` by the first that asks.
fn golden(text: &str) -> String {
    static BLESSED: Mutex<bool> = Mutex::new(false);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/golden.txt");
    let mut blessed = BLESSED.lock().expect("no panic");
    if std::env::var_os("ARCHBENCH_BLESS").is_some() && !*blessed && !text.is_empty() {
        std::fs::write(&path, text).expect("the golden file is written");
    }
    *blessed |= !text.is_empty();
    std::fs::read_to_string(&path).expect("golden.txt")
}

/// Nobody in particular may not read everything.
fn forbidden(bench: &Bench) {
    // Root may read everything.
    let server = bench.recipe().for_a_stranger().start();
    for path in ["/forbidden.txt", "/closed/file.txt", "/closed/", "/closed"] {
        let answer = server.connect().get(path);
        assert_eq!(
            (answer.status, &answer.body[..]),
            (403, &b"403 Forbidden\n"[..]),
            "{path}"
        );
    }
    assert_eq!(server.connect().get("/file.txt").status, 200);
    server.stop();
}

/// Directories, the root among them, of which a stranger knows nothing but a name.
fn entered_not_listed(bench: &Bench) {
    let garden = Garden::new();
    garden.write("dir/index.html", "index");
    garden.write("dir/file.txt", "file");
    for name in ["", "dir"] {
        garden.allow(name, 0o711);
    }
    let server = Recipe::new(&bench.room, garden.root())
        .for_a_stranger()
        .start();
    let mut client = server.connect();
    assert_eq!(client.get("/dir/").body, b"index");
    assert_eq!(client.get("/dir/file.txt").body, b"file");
    assert_eq!(client.get("/dir").status, 301);
    server.stop();
}

/// A file that is there and open and cannot be read, as on a disk that fails: the kernel has some whose reading fails.
fn unreadable(bench: &Bench) {
    // The loopback interface has no speed.
    let root = std::path::Path::new("/sys/devices/virtual/net/lo");
    let opened = std::fs::File::open(root.join("speed"));
    if !opened.is_ok_and(|mut file| std::io::Read::read(&mut file, &mut [0]).is_err()) {
        println!("skipped: no file of /sys is known here that cannot be read");
        return;
    }
    for options in [&[][..], &["--content-cache", "0"]] {
        let server = bench.serve_from(root, options);
        let mut client = server.connect();
        for _ in 0..3 {
            let answer = client.get("/speed");
            let found = (answer.status, &answer.body[..]);
            assert_eq!(found, (500, &b"500 Internal Server Error\n"[..]));
        }
        drop(client);
        let summary = server.stop();
        assert_eq!(summary["errors"]["file_unreadable"], 3, "{summary}");
        assert_eq!(summary["errors"]["connection_broken"], 0, "{summary}");
    }
}

/// Who writes to a FIFO is not told that somebody reads.
fn fifo(bench: &Bench) {
    let garden = Garden::new();
    mknodat(
        CWD,
        garden.at("fifo"),
        FileType::Fifo,
        Mode::from_raw_mode(0o644),
        0,
    )
    .expect("a fifo");
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK).expect("inotify");
    inotify::add_watch(&watch, garden.at("fifo"), inotify::WatchFlags::OPEN).expect("a watch");
    let server = bench.serve_from(garden.root(), &[]);
    assert_eq!(server.connect().get("/fifo").status, 404);
    let mut events = [std::mem::MaybeUninit::uninit(); 256];
    let opened = inotify::Reader::new(&watch, &mut events).next().is_ok();
    assert!(!opened, "it was opened");
    server.stop();
}
