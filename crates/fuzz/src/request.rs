//! The server's end of a connection.

use http::client::{Event, Expect, Responses};
use http::{Config, Want};

use crate::cut;
use crate::limits::limits;
use crate::support::{Driver, End};

/// Where limits are tight, the bytes and the fields of a head.
const MOST_HEAD: (usize, usize) = (120, 4);

/// Serves `bytes`, the first of which choose limits and cuts, whole, cut and a byte at a time; then out of turn.
///
/// # Panics
/// When the answers differ; when they are not one to each request; when more was read than the request.
pub fn check(bytes: &[u8]) {
    let Some((seed, input)) = cut::seed(bytes) else {
        return;
    };
    let (config, expires) = (limits(seed, MOST_HEAD), seed & 8 != 0);
    let whole = serve([input], &config, usize::MAX, expires);
    let cut = serve(
        cut::pieces(input, seed | 1),
        &config,
        1 + (seed >> 20) as usize,
        expires,
    );
    let bytewise = serve(input.chunks(1), &config, usize::MAX, expires);
    for other in [&cut, &bytewise] {
        assert_eq!(
            whole.statuses, other.statuses,
            "cut, it is answered otherwise"
        );
        assert!(
            whole.output == other.output,
            "whole: {}\ncut: {}",
            whole.text(),
            other.text()
        );
    }
    one_answer_each(&whole, input);
    out_of_turn(input, seed);
}

fn serve<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    config: &Config,
    send: usize,
    expires: bool,
) -> Driver {
    let mut driver = Driver::with(config.clone());
    driver.send = send;
    for piece in pieces {
        driver.feed(piece);
    }
    match expires {
        true => driver.expire(),
        false => driver.end_of_input(),
    };
    assert!(!driver.answered_unasked, "two answers to one request");
    let text = driver.text();
    assert!(
        driver.end() != End::Open,
        "it is over, and the connection is not: {text}"
    );
    driver
}

/// Every request has one answer, which a client reads to its end; and all but the last end where their framing says.
fn one_answer_each(driver: &Driver, input: &[u8]) {
    let mut client = Responses::new();
    let mut output = &driver.output[..];
    let mut start = 0;
    for (number, (&status, &end)) in driver.statuses.iter().zip(&driver.ends).enumerate() {
        let request = &input[start..];
        let is_head = request
            .strip_prefix(b"\r\n")
            .unwrap_or(request)
            .starts_with(b"HEAD ");
        client.expect(if is_head {
            Expect::HeadOnly
        } else {
            Expect::Body
        });
        let mut found = None;
        loop {
            match client.next(&mut output) {
                Ok(Event::Head(head)) => found = Some(head.status),
                Ok(Event::Body(_)) => {}
                Ok(Event::Done { .. }) => break,
                odd => panic!("answer {number} is no answer: {odd:?} in {}", driver.text()),
            }
        }
        assert_eq!(found, Some(status), "answer {number}");
        if number + 1 < driver.statuses.len() {
            let length = request_length(request);
            assert_eq!(length, Some(end - start), "how long request {number} is");
        }
        start = end;
    }
    assert!(
        output.is_empty(),
        "more than the answers: {}",
        driver.text()
    );
}

/// The length of the request at the start of `input`, by the plainest reading of RFC 9112: the head ends at the first
/// empty line, and the body as its fields say.
fn request_length(input: &[u8]) -> Option<usize> {
    let skipped = if input.starts_with(b"\r\n") { 2 } else { 0 };
    let head = find(&input[skipped..], b"\r\n\r\n")? + 4;
    let body = skipped + head;
    let field = |name: &str| {
        let text = input[skipped..body].split(|&byte| byte == b'\n').skip(1);
        text.filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            line[..colon]
                .eq_ignore_ascii_case(name.as_bytes())
                .then(|| line[colon + 1..].trim_ascii())
        })
        .next()
    };
    if field("transfer-encoding").is_some() {
        return chunked_length(&input[body..]).map(|length| body + length);
    }
    let length = field("content-length").unwrap_or(b"0");
    let first = length.split(|&byte| byte == b',').next()?.trim_ascii();
    Some(body + std::str::from_utf8(first).ok()?.parse::<usize>().ok()?)
}

fn chunked_length(input: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = find(&input[at..], b"\r\n")?;
        let size = input[at..at + line]
            .split(|byte| b"; \t".contains(byte))
            .next()?;
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        at += line + 2;
        if size > 0 {
            at += size + 2;
            continue;
        }
        // The trailer section, down to its empty line.
        loop {
            let line = find(&input[at..], b"\r\n")?;
            at += line + 2;
            if line == 0 {
                return Some(at);
            }
        }
    }
}

fn find(input: &[u8], what: &[u8]) -> Option<usize> {
    input.windows(what.len()).position(|window| window == what)
}

/// Calls that nobody should make then and there, between those of a driver: they change nothing, or end the connection.
fn out_of_turn(input: &[u8], seed: u32) {
    let mut driver = Driver::with(limits(seed, MOST_HEAD));
    for (number, piece) in cut::pieces(input, seed | 1).enumerate() {
        driver.feed(piece);
        let before = driver.connection.want();
        match (seed.rotate_left(number as u32) & 31, &before) {
            (0, _) => driver.connection.finish(),
            (1, _) => driver.connection.failed(&mut driver.scratch),
            (2, Want::Request) => driver.connection.sent(1, &mut driver.scratch),
            (3, Want::Request) => driver
                .connection
                .found(Err(http::Missing::Busy), &mut driver.scratch),
            (4, _) => drop(driver.connection.target().path()),
            (5, _) => {
                driver.expire();
            }
            (6, _) => {
                driver.end_of_input();
            }
            _ => continue,
        }
        if !matches!(seed.rotate_left(number as u32) & 31, 0 | 5 | 6) {
            assert_eq!(driver.connection.want(), before, "out of turn");
        }
    }
    driver.end_of_input();
    assert!(!driver.answered_unasked, "two answers to one request");
}
