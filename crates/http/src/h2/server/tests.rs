use std::sync::Arc;

use super::*;
use crate::config::Config;
use crate::h2::frame::PREFACE;

/// What a client can make an idle connection hold: all of the table, and as many places as there are.
#[test]
fn an_idle_connection_holds_little() {
    let mut scratch = Scratch::new(Arc::new(Config::default()));
    let mut connection = Connection::new();
    connection.receive(PREFACE, &mut scratch);
    frame::write_settings(&[], &mut scratch.out);
    let settings = scratch.out.split_off(27);
    connection.receive(&settings, &mut scratch);
    let mut number = 1;
    for burst in [1, 100, 20] {
        for _ in 0..burst {
            // A request, and a field that is to be remembered.
            let mut block = vec![0x82, 0x86, 0x84, 0x40, 10];
            block.extend_from_slice(format!("name{number:06}").as_bytes());
            block.push(100);
            block.extend_from_slice(&[b'v'; 100]);
            let mut bytes = Vec::new();
            FrameHeader {
                length: block.len() as u32,
                kind: Kind::Headers,
                flags: flag::END_HEADERS | flag::END_STREAM,
                stream: number,
            }
            .write(&mut bytes);
            bytes.extend_from_slice(&block);
            number += 2;
            // Cut, so that some of it has to be kept.
            connection.receive(&bytes[..50], &mut scratch);
            connection.receive(&bytes[50..], &mut scratch);
        }
        assert_eq!(connection.slots.len(), burst);
        assert_eq!(connection.want(&mut scratch), Want::Receive);
        assert!(connection.slots.is_empty());
        let held = size_of::<Connection>() + connection.capacity();
        assert!(held <= 7 << 10, "{held} bytes after {burst} requests");
    }
    assert!(connection.decoder.capacity() > 3000, "the table was filled");
}
