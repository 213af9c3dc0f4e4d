//! The golden requests, as far as HTTP/2 can say them: answered with the same status, fields and bytes.

use std::path::Path;

use super::frames::{Answer, Heard, block, frame};
use super::{hello_with_room, whole};
use crate::client::last_get;
use crate::golden::requests;
use crate::http1::Case;
use crate::http1::wire::Place;
use crate::site::{OF_ALL_LENGTHS, Site, assert_contents};

pub(crate) const CASES: &[Case] = &[
    ("answers_are_those_of_http1", |site| {
        same(site, &[], usize::MAX)
    }),
    ("bytes_leave_a_few_at_a_time", |site| same(site, &[], 100)),
    ("bodies_are_gathered", |site| {
        same(site, &["--gather-from", "1"], 1000)
    }),
    ("no_content_cache", |site| {
        same(site, &["--content-cache", "0"], usize::MAX)
    }),
    ("no_cache_at_all", |site| {
        let none = [
            "--name-cache",
            "0",
            "--header-cache",
            "off",
            "--content-cache",
            "0",
        ];
        same(site, &none, usize::MAX);
    }),
    ("files_of_all_lengths", files_of_all_lengths),
    ("http1_is_answered_as_ever_however_it_is_cut", beside_http1),
];

/// A request of HTTP/1.1 that means the same in HTTP/2.
pub(crate) struct Alike {
    pub(crate) name: &'static str,
    /// As HTTP/2 says it.
    block: Vec<u8>,
    /// What HTTP/1.1 answers.
    expected: Answer,
}

impl Alike {
    /// As a frame.
    pub(crate) fn on(&self, stream: u32) -> Vec<u8> {
        frame(1, 5, stream, &self.block)
    }

    #[track_caller]
    pub(crate) fn check(&self, heard: &Heard, stream: u32) {
        let undated = |answer: &Answer| {
            let mut answer = answer.clone();
            answer.fields.retain(|(name, _)| name != "date");
            answer
        };
        let found = &heard.answers[&stream];
        assert_eq!((found.is_whole, found.reset), (true, None), "{}", self.name);
        assert!(found.field("date").is_some(), "{}", self.name);
        assert_eq!(undated(found), undated(&self.expected), "{}", self.name);
    }
}

/// All of them, as they are answered from `root`.
pub(crate) fn alike(root: &Path) -> Vec<Alike> {
    let place = Place::new(root, &[]);
    let exchange = |request: &[u8]| {
        let mut client = place.connect();
        client.send(request);
        client.take()
    };
    let file = parse(&exchange(last_get("/file.txt").as_bytes()));
    let tag = file.field("etag").expect("a tag");
    let changed = tag.rsplit(['-', '"']).nth(1).expect("three parts");
    let alike = requests(changed).into_iter().filter_map(|(name, request)| {
        let block = translate(&request)?;
        let expected = parse(&exchange(&request));
        Some(Alike {
            name,
            block,
            expected,
        })
    });
    let alike: Vec<_> = alike.collect();
    assert!(alike.len() > 120, "only {} are said by both", alike.len());
    alike
}

/// The same request as a header block; nothing for what HTTP/2 has no words for: framing, versions, lines.
fn translate(request: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(request)
        .ok()
        .filter(|text| text.len() < 20_000)?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let line: Vec<_> = lines.next()?.split(' ').collect();
    let [method, target, "HTTP/1.1"] = line[..] else {
        return None;
    };
    let is_plain = |text: &str| text.bytes().all(|byte| (b' '..0x7f).contains(&byte));
    let is_token = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !body.is_empty()
        || !is_token(method)
        || !is_plain(target)
        || !(target.starts_with('/') || target == "*")
    {
        return None;
    }
    let mut fields = vec![
        (":method".to_owned(), method),
        (":scheme".to_owned(), "http"),
        (":path".to_owned(), target),
    ];
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "host" if value != "h" => return None,
            "host" => fields.insert(3.min(fields.len()), (":authority".to_owned(), value)),
            "connection" | "transfer-encoding" | "content-length" => return None,
            name if name.is_empty() || !is_token(name) || !is_plain(value) || value.is_empty() => {
                return None;
            }
            _ => fields.push((name, value)),
        }
    }
    let hosts = fields.iter().filter(|(name, _)| name == ":authority");
    if hosts.count() != 1 || fields.len() > 90 {
        return None;
    }
    Some(block(
        fields.iter().map(|(name, value)| (name.as_str(), *value)),
    ))
}

/// An answer of HTTP/1.1, as HTTP/2 says it.
fn parse(bytes: &[u8]) -> Answer {
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a head")
        + 4;
    let head = String::from_utf8(bytes[..end].to_vec()).expect("text");
    let mut answer = Answer {
        fields: vec![(":status".into(), head["HTTP/1.1 ".len()..][..3].into())],
        body: bytes[end..].to_vec(),
        is_whole: true,
        reset: None,
    };
    for line in head.lines().skip(1).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").expect("a field");
        if name != "Connection" {
            answer
                .fields
                .push((name.to_ascii_lowercase(), value.into()));
        }
    }
    answer
}

fn same(site: &Site, options: &[&str], takes: usize) {
    let alike = alike(site.root());
    let options = [&["--http2", "on"], options].concat();
    let place = Place::new(site.root(), &options).taking(takes);
    let (mut client, mut heard) = (place.connect(), Heard::default());
    client.send(hello_with_room());
    for (number, alike) in alike.iter().enumerate() {
        let stream = 2 * number as u32 + 1;
        client.send(alike.on(stream));
        heard.read(&client.take());
        alike.check(&heard, stream);
    }
    assert!(client.events().is_empty());
    // And all at once.
    let (mut client, mut heard) = (place.connect(), Heard::default());
    client.send(hello_with_room());
    for some in alike.chunks(100) {
        let begin = heard.answers.len();
        let streams = || (begin..).map(|number| 2 * number as u32 + 1);
        let requests = some
            .iter()
            .zip(streams())
            .map(|(alike, stream)| alike.on(stream));
        client.send(requests.collect::<Vec<_>>().concat());
        heard.read(&client.take());
        for (alike, stream) in some.iter().zip(streams()) {
            alike.check(&heard, stream);
        }
    }
}

/// Files below and above all bounds, with little room at a time.
fn files_of_all_lengths(site: &Site) {
    for options in [
        &[][..],
        &["--content-cache", "0"],
        &["--content-cache", "40m", "--content-cache-file", "16m"],
    ] {
        let options = [&["--http2", "on"], options].concat();
        let place = Place::new(site.root(), &options);
        let (mut client, mut heard) = (place.connect(), Heard::default());
        client.send(super::frames::hello());
        for (number, (name, length)) in OF_ALL_LENGTHS.iter().enumerate() {
            let stream = 2 * number as u32 + 1;
            client.send(super::frames::get(stream, &format!("/{name}")));
            loop {
                heard.read(&client.take());
                if heard.answers[&stream].is_whole {
                    break;
                }
                let more = [
                    super::frames::window_update(0, 50_000),
                    super::frames::window_update(stream, 50_000),
                ];
                client.send(more.concat());
            }
            let answer = whole(&heard, stream);
            assert_eq!(answer.body.len() as u64, *length, "{name}");
            assert_contents(name, 0, &answer.body);
        }
        assert!(client.events().is_empty());
    }
}

/// Where both are spoken, the first bytes decide.
fn beside_http1(site: &Site) {
    let off = Place::new(site.root(), &[]);
    let on = Place::new(site.root(), &["--http2", "on"]);
    let preface = std::str::from_utf8(super::frames::PREFACE).expect("text");
    let requests = [
        last_get("/file.txt"),
        "POST /file.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".to_owned(),
        "PRI /file.txt HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
        preface.replace("SM", "MS"),
        "GET /file.txt HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"
            .to_owned(),
        "P".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nS".to_owned(),
    ];
    for request in &requests {
        let expected = {
            let mut client = off.connect();
            client.send(request);
            client.half_close();
            client.take()
        };
        for cut in 0..=request.len() {
            let mut client = on.connect();
            client.send_cut(request, [cut]);
            client.half_close();
            assert_eq!(client.take(), expected, "{request:?} cut at {cut}");
        }
    }
    // Nothing of it is heard where it is off.
    let mut client = off.connect();
    client.send(super::hello_with_room());
    assert!(client.take().starts_with(b"HTTP/1.1 505 "));
}
