//! Deadlines, endings, and what is counted.

use http::Phase;
use meter::Event;

use super::frames::*;
use super::whole;
use crate::http1::Case;
use crate::http1::wire::{Connection, Place};
use crate::site::Site;

pub(crate) const CASES: &[Case] = &[
    ("an_idle_connection_is_told", an_idle_connection_is_told),
    ("a_head_that_drips_is_reset", a_head_that_drips_is_reset),
    ("half_a_preface_is_a_late_request", half_a_preface),
    ("who_makes_no_room_loses_that_answer", who_makes_no_room),
    ("so_many_requests", so_many_requests),
    ("what_is_wrong_is_counted_by_kind", counted),
];

fn heard(client: &mut Connection<'_>) -> Heard {
    let mut heard = Heard::default();
    heard.read(&client.take());
    heard
}

fn an_idle_connection_is_told(site: &Site) {
    let place = Place::new(site.root(), &["--http2", "on"]);
    let mut client = place.connect();
    client.send([hello(), get(1, "/file.txt")].concat());
    assert_eq!(client.phase(), Some(Phase::Idle));
    client.expire();
    let heard = heard(&mut client);
    assert_eq!(whole(&heard, 1).status(), 200);
    assert_eq!(heard.go_away, Some((1, 0)));
    client.read_to_end();
    assert!(client.events().is_empty());
}

fn a_head_that_drips_is_reset(site: &Site) {
    let place = Place::new(site.root(), &["--http2", "on"]);
    let mut client = place.connect();
    let request = get(1, "/file.txt");
    client.send([hello(), request[..12].to_vec()].concat());
    assert_eq!(client.phase(), Some(Phase::Request));
    client.expire();
    assert_eq!(client.events(), [Event::RequestTimeout]);
    client.send([&request[12..], &get(3, "/file.txt")].concat());
    let heard = heard(&mut client);
    assert_eq!(heard.answers[&1].reset, Some(8));
    assert_eq!(whole(&heard, 3).status(), 200);
}

fn half_a_preface(site: &Site) {
    let place = Place::new(site.root(), &["--http2", "on"]);
    let mut client = place.connect();
    client.send(&PREFACE[..10]);
    assert_eq!(client.phase(), Some(Phase::Request));
    client.expire();
    // Whatever it was to be, it is late.
    assert!(client.take().starts_with(b"HTTP/1.1 408 "));
    assert_eq!(client.events(), [Event::RequestTimeout]);
}

fn who_makes_no_room(site: &Site) {
    let place = Place::new(site.root(), &["--http2", "on"]);
    let mut client = place.connect();
    client.send(
        [
            hello(),
            window_update(0, 1 << 20),
            get(1, "/large.bin"),
            get(3, "/file.txt"),
        ]
        .concat(),
    );
    assert_eq!(client.phase(), Some(Phase::Answer));
    client.expire();
    assert_eq!(client.events(), [Event::Stalled]);
    let heard = heard(&mut client);
    assert_eq!(heard.answers[&1].reset, Some(8));
    assert_eq!(whole(&heard, 3).status(), 200);
    assert_eq!(client.phase(), Some(Phase::Idle));
}

fn so_many_requests(site: &Site) {
    let place = Place::new(
        site.root(),
        &["--http2", "on", "--max-requests-per-connection", "2"],
    );
    let mut client = place.connect();
    client.send(
        [
            hello(),
            get(1, "/file.txt"),
            get(3, "/file.txt"),
            get(5, "/file.txt"),
        ]
        .concat(),
    );
    let heard = heard(&mut client);
    assert_eq!(heard.go_away, Some((3, 0)));
    assert_eq!(
        (whole(&heard, 1).status(), whole(&heard, 3).status()),
        (200, 200)
    );
    client.read_to_end();
}

fn counted(site: &Site) {
    let place = Place::new(site.root(), &["--http2", "on"]);
    let many = |frame: Vec<u8>| frame.repeat(1100);
    let resets =
        (0..300).map(|number| [get(2 * number + 1, "/file.txt"), reset(2 * number + 1)].concat());
    let head = block(fields("GET", "/file.txt", &[]));
    let empty = [
        frame(HEADERS, END_HEADERS, 1, &head),
        frame(DATA, 0, 1, &[]).repeat(200),
    ];
    let continued = [
        frame(HEADERS, 0, 1, &head),
        frame(CONTINUATION, 0, 1, &[0; 9]).repeat(50),
    ];
    for (event, bytes) in [
        (Event::ProtocolError, frame(PING, 0, 0, &[0; 7])),
        (Event::ResetFlood, resets.collect::<Vec<_>>().concat()),
        (Event::ContinuationFlood, continued.concat()),
        (Event::SettingsFlood, many(settings(&[]))),
        (Event::PingFlood, many(frame(PING, 0, 0, &[0; 8]))),
        (Event::EmptyFrameFlood, empty.concat()),
        (Event::WindowFlood, many(window_update(0, 1))),
        (Event::PriorityFlood, many(frame(PRIORITY, 0, 1, &[0; 5]))),
    ] {
        let mut client = place.connect();
        client.send(hello());
        client.take();
        client.send(bytes);
        assert_eq!(client.events(), [event]);
        assert!(heard(&mut client).go_away.is_some(), "{event:?}");
        client.read_to_end();
    }
    let mut client = place.connect();
    client.send(
        [
            hello(),
            request(1, "GET", "relative", &[]),
            get(3, "/file.txt"),
        ]
        .concat(),
    );
    assert_eq!(client.events(), [Event::RequestMalformed]);
    assert_eq!(whole(&heard(&mut client), 3).status(), 200);
}
