//! What is answered, as a value: no connection, no bytes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::single_range_in_vec_init,
    reason = "lists of ranges are what this is about"
)]

use http::{
    Body, Content, Entity, Fields, FileState, Malformed, Method, Missing, RawTarget, Request,
    Response, Status, respond,
};

const NOW: Option<u64> = Some(800_000_000);

fn entity() -> Entity {
    let state = FileState {
        len: 10,
        modified: (784_111_777, 0),
        ..FileState::default()
    };
    Entity::new(b"ten.txt", state)
}

fn request(method: &[u8], target: &str, fields: &[(&str, &str)]) -> Request {
    let target = RawTarget::new(target.as_bytes()).unwrap();
    let mut request = Request::new(Method::of(method), target);
    for (name, value) in fields {
        request.push(name, value.as_bytes()).unwrap();
    }
    request
}

#[test]
fn a_file_is_answered_with_itself() {
    let entity = entity();
    for method in ["GET", "HEAD"] {
        let request = request(method.as_bytes(), "/ten.txt", &[("Host", "h")]);
        let expected = Response {
            status: Status::Ok,
            fields: Fields::Representation(&entity),
            body: Body::File(&entity, Content::Whole),
        };
        assert_eq!(respond(&request, Ok(&entity), NOW, 16), expected);
    }
}

#[test]
fn what_is_missing_is_answered_with_a_page() {
    let request = request(b"GET", "/a/b?c", &[("If-None-Match", "*")]);
    for (missing, status, fields) in [
        (Missing::NotFound, 404, Fields::None),
        (Missing::Forbidden, 403, Fields::None),
        (Missing::NeedsSlash, 301, Fields::Location(request.target())),
        (Missing::Busy, 503, Fields::RetryAfter),
        (Missing::Failed, 500, Fields::None),
    ] {
        let response = respond(&request, Err(missing), NOW, 16);
        assert_eq!(response.status.code(), status);
        assert_eq!((response.fields, response.body), (fields, Body::Page));
    }
}

#[test]
fn preconditions_come_before_ranges() {
    let entity = entity();
    let range = ("Range", "bytes=2-3");
    for (condition, status, fields, body) in [
        (
            ("if-none-match", "*"),
            304,
            Fields::EntityTag(&entity),
            Body::Empty,
        ),
        (("If-Match", "\"x\""), 412, Fields::None, Body::Page),
        (
            ("If-Match", "*"),
            206,
            Fields::Representation(&entity),
            Body::File(&entity, Content::Part(2..4)),
        ),
    ] {
        let request = request(b"GET", "/ten.txt", &[range, condition]);
        let response = respond(&request, Ok(&entity), NOW, 16);
        assert_eq!(response.status.code(), status, "{condition:?}");
        assert_eq!((response.fields, response.body), (fields, body));
    }
}

/// The century of a date with a year of two digits is told by the clock, not by the calendar of
/// whoever wrote this.
#[test]
fn two_digits_of_a_year_hang_on_the_clock() {
    let entity = entity();
    let since = ("If-Modified-Since", "Thursday, 01-Jan-60 00:00:00 GMT");
    let request = request(b"GET", "/ten.txt", &[since]);
    let status = |now| respond(&request, Ok(&entity), now, 16).status;
    assert_eq!(status(NOW), Status::Ok, "1960");
    assert_eq!(status(Some(1_795_713_600)), Status::NotModified, "2060");
    assert_eq!(status(None), Status::Ok);
}

#[test]
fn ranges_are_for_get_and_within_the_limit() {
    let entity = entity();
    let content = |method: &str, value, max_ranges| {
        let request = request(method.as_bytes(), "/ten.txt", &[("Range", value)]);
        match respond(&request, Ok(&entity), NOW, max_ranges).body {
            Body::File(_, Content::Whole) => vec![0..10],
            Body::File(_, Content::Part(range)) => vec![range],
            Body::File(_, Content::Parts(parts)) => parts.collect(),
            Body::Empty | Body::Page => vec![],
        }
    };
    assert_eq!(content("GET", "bytes=0-1,50-,-2", 3), [0..2, 8..10]);
    assert_eq!(content("GET", "bytes=0-1,50-,-2", 2), [0..10]);
    assert_eq!(content("GET", "bytes=0-1,50-", 2), [0..2]);
    assert_eq!(content("HEAD", "bytes=0-1", 3), [0..10]);
    assert_eq!(content("GET", "bytes=50-", 3), []);
}

#[test]
fn the_authority_of_the_target_wins_over_host() {
    let authority = |target, host| {
        let request = request(b"GET", target, &[("Host", host)]);
        String::from_utf8(request.target().authority().to_vec()).unwrap()
    };
    assert_eq!(authority("/a?b", "example.com:80"), "example.com:80");
    assert_eq!(authority("/%61/../b", "h"), "h");
    assert_eq!(authority("http://other/a?b", "h"), "other");
    assert_eq!(authority("/", ""), "");
}

#[test]
fn one_host_and_a_sound_one() {
    for hosts in [&["a/b"][..], &["h", "h"], &["", "h"]] {
        let mut request = request(b"GET", "/", &[]);
        let outcome = hosts
            .iter()
            .try_for_each(|host| request.push("host", host.as_bytes()));
        assert_eq!(outcome, Err(Malformed), "{hosts:?}");
    }
    assert_eq!(RawTarget::new(b""), None);
    assert_eq!(RawTarget::new(b"/a b"), None);
}
