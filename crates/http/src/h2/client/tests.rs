use std::sync::Arc;

use super::*;
use crate::config::Config;
use crate::h2::server::{Connection, Want};
use crate::{Entity, FileState, Missing, Scratch};

/// What has come of the streams, in words.
fn read(client: &mut Client, bytes: &[u8], piece: usize, out: &mut Vec<u8>) -> Vec<String> {
    let mut events = Vec::new();
    let mut body = Vec::new();
    for mut input in bytes.chunks(piece) {
        loop {
            match client.next(&mut input, out).unwrap() {
                Event::More => break,
                Event::Body(stream, bytes) => body.extend(bytes.iter().map(|_| stream)),
                Event::Done(stream) => {
                    let length = body.iter().filter(|one| **one == stream).count();
                    events.push(format!("{stream}: {length} bytes"));
                }
                event => events.push(format!("{event:?}")),
            }
        }
    }
    events
}

/// Our own server's answers to two requests, however they are cut.
#[test]
fn requests_and_answers() {
    let entity = Entity::new(
        b"a",
        FileState {
            len: 50_000,
            ..FileState::default()
        },
    );
    for piece in [1, 7, 1000, usize::MAX] {
        let mut scratch = Scratch::new(Arc::new(Config::default()));
        let (mut server, mut out) = (Connection::new(), Vec::new());
        let mut client = Client::new(&mut out);
        let block = |path| request_block(Scheme::Http, false, "h", path, [("User-Agent", "test")]);
        assert_eq!(client.request(&block("/a"), false, &mut out), 1);
        assert_eq!(client.request(&block("/none"), false, &mut out), 3);
        let head = request_block(Scheme::Https, true, "h", "/a", []);
        assert_eq!(client.request(&head, true, &mut out), 5);
        server.receive(&out, &mut scratch);
        let mut wire = Vec::new();
        loop {
            match server.want(&mut scratch) {
                Want::Find(place) => {
                    server.begin(place);
                    let found = match server.target(place).path() {
                        b"a" => Ok(&entity),
                        _ => Err(Missing::NotFound),
                    };
                    server.found(place, found, &mut scratch);
                }
                Want::Load(place, range) => server.loaded(place, &entity, range.end, &mut scratch),
                Want::Send(_, range) => {
                    wire.append(&mut scratch.out);
                    let length = range.end - range.start;
                    wire.resize(wire.len() + length as usize, b'x');
                    server.sent(length, &mut scratch);
                }
                _ => break,
            }
        }
        wire.append(&mut scratch.out);
        let mut answers = Vec::new();
        let mut events = read(&mut client, &wire, piece, &mut answers);
        events.sort();
        let expected = [
            "1: 50000 bytes",
            "3: 14 bytes",
            "5: 0 bytes",
            "Head(1, 200)",
            "Head(3, 404)",
            "Head(5, 200)",
        ];
        assert_eq!(events, expected);
        assert_eq!(client.most_streams(), 100);
        assert_eq!(answers.len(), 9, "the settings are acknowledged");
    }
}

/// It came whole with its head: nobody hears of its end, and the server is told nothing.
#[test]
fn what_is_cancelled_has_no_end() {
    let mut out = Vec::new();
    let mut client = Client::new(&mut out);
    client.request(&[0x82], false, &mut out);
    out.clear();
    let whole = [0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88];
    let mut input = &whole[..];
    let head = client.next(&mut input, &mut out);
    assert_eq!(head, Ok(Event::Head(1, 200)));
    client.cancel(1, &mut out);
    assert_eq!(client.next(&mut input, &mut out), Ok(Event::More));
    assert_eq!(out, []);
}

#[test]
fn endings() {
    let mut out = Vec::new();
    let mut client = Client::new(&mut out);
    for _ in 0..3 {
        client.request(
            &request_block(Scheme::Http, false, "h", "/", []),
            false,
            &mut out,
        );
    }
    client.cancel(5, &mut out);
    let mut wire = Vec::new();
    frame::write_settings(&[], &mut wire);
    frame::write_reset(3, ErrorCode::RefusedStream, &mut wire);
    frame::write_reset(5, ErrorCode::NoError, &mut wire);
    frame::write_go_away(1, ErrorCode::NoError, &mut wire);
    let events = read(&mut client, &wire, 5, &mut out);
    assert_eq!(events, ["Reset(3, RefusedStream)", "GoAway(1)"]);
    for wrong in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        &[0, 0, 0, 5, 0, 0, 0, 0, 1],
        &[0xff; 20],
    ] {
        let mut client = Client::new(&mut out);
        assert_eq!(client.next(&mut &wrong[..], &mut out), Err(Error::NotHttp2));
    }
}

/// RFC 9113, section 8.1: fields may come behind a body, and then end the answer.
#[test]
fn an_answer_may_end_with_trailers() {
    let mut wire = Vec::new();
    let mut block = |bytes: &[u8], flags| {
        let start = wire.len() + HEADER_BYTES;
        wire.resize(start, 0);
        wire.extend_from_slice(bytes);
        frame::frame_block(start, 1, flags, SMALLEST_MAX_PAYLOAD, &mut wire);
    };
    // :status 200; no DATA; a field of no meaning here.
    block(&[0x88], 0);
    block(b"\x00\x01a\x01b", flag::END_STREAM);
    for piece in [1, usize::MAX] {
        let (mut client, mut out) = (Client::default(), Vec::new());
        client.request(
            &request_block(Scheme::Http, false, "h", "/", []),
            false,
            &mut out,
        );
        let events = read(&mut client, &wire, piece, &mut out);
        assert_eq!(events, ["Head(1, 200)", "1: 0 bytes"]);
    }
    let ending = wire.len() - 5 - HEADER_BYTES + 4;
    wire[ending] &= !flag::END_STREAM;
    let (mut client, mut out) = (Client::default(), Vec::new());
    client.request(
        &request_block(Scheme::Http, false, "h", "/", []),
        false,
        &mut out,
    );
    let mut input = &wire[..];
    assert_eq!(client.next(&mut input, &mut out), Ok(Event::Head(1, 200)));
    assert_eq!(client.next(&mut input, &mut out), Err(Error::NotHttp2));
}
