//! Those that mean no good, at a real socket; what each of them could say is tried on the machines, in memory.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::support::{PATIENCE, Shared, info_hash};

/// A handshake for the torrent.
fn handshake(shared: &Shared) -> Vec<u8> {
    let hash = info_hash(&fs::read(shared.torrent()).unwrap());
    [
        &b"\x13BitTorrent protocol\0\0\0\0\0\0\0\0"[..],
        &hash,
        b"-XX0000-means-no-good",
    ]
    .concat()[..68]
        .to_vec()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 1).unwrap();
    [&length.to_be_bytes()[..], &[kind], body].concat()
}

/// The next message, its type in front; nothing, when the connection has ended.
fn next(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

/// Gives wrong bytes for whatever it is asked for, until it is dropped.
fn give_wrong_data(listener: &TcpListener, handshake: &[u8]) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.read_exact(&mut [0; 68]).unwrap();
    let all = message(5, &[0xff, 0xff, 0b1111_1000]);
    stream
        .write_all(&[handshake, &all, &message(1, b"")].concat())
        .unwrap();
    while let Some(said) = next(&mut stream) {
        if let [6, block @ ..] = &said[..] {
            let length = u32::from_be_bytes(block[8..12].try_into().unwrap());
            let data = vec![b'x'; length as usize];
            let sent = stream.write_all(&message(7, &[&block[..8], &data].concat()));
            if sent.is_err() {
                return;
            }
        }
    }
}

#[test]
fn whoever_gives_wrong_data_is_dropped_and_the_piece_got_from_another() {
    let shared = Shared::new("event");
    let listener = TcpListener::bind("127.0.0.66:0").unwrap();
    let hostile = listener.local_addr().unwrap().to_string();
    let get = shared.start("get", "got", &["--peer", &hostile]);
    give_wrong_data(&listener, &handshake(&shared));
    // It has been dropped, and now there is one that has what is right, who calls.
    let seed = shared.start("seed", "source", &["--peer", &get.address.to_string()]);
    let said = get.end();
    assert!(
        said.contains(&format!("dropped {hostile}: piece ")),
        "{said}"
    );
    assert!(said.contains("is not as the torrent says"), "{said}");
    shared.assert_same("got");
    seed.stop();
}

/// Whether a seed drops whoever says this, having read nothing of what it says.
fn is_dropped(shared: &Shared, seed: std::net::SocketAddr, said: &[u8]) -> bool {
    let mut stream = TcpStream::connect(seed).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&handshake(shared)).unwrap();
    // It may be dropped before it has said all.
    let _ = stream.write_all(said);
    let ended = std::io::copy(&mut stream, &mut std::io::sink());
    ended.is_ok() || ended.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
}

#[test]
fn a_seed_drops_whoever_breaks_the_rules_and_serves_others() {
    let shared = Shared::new("pool");
    let seed = shared.start("seed", "source", &[]);
    let block =
        |piece: u32, begin: u32, length: u32| [piece, begin, length].map(u32::to_be_bytes).concat();
    let flood = message(6, &block(0, 0, 16384)).repeat(300);
    for said in [
        message(42, b""),
        message(6, &block(21, 0, 1)),
        message(6, &block(0, 0, 1 << 17)),
        message(5, &[0xff]),
        message(5, &[0xff, 0xff, 0xff]),
        message(4, &21_u32.to_be_bytes()),
        message(7, &[0; 100]),
        vec![0x7f, 0xff, 0xff, 0xff],
        flood,
    ] {
        assert!(
            is_dropped(&shared, seed.address, &said),
            "{:?}",
            &said[..said.len().min(17)]
        );
    }
    let mut other = handshake(&shared);
    other[30] ^= 1;
    let mut stream = TcpStream::connect(seed.address).unwrap();
    stream.write_all(&other).unwrap();
    // It is told nothing.
    assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap(), 0);
    let got = shared
        .start("get", "got", &["--peer", &seed.address.to_string()])
        .end();
    assert!(got.starts_with("21 of 21"), "{got}");
    let said = seed.stop();
    for why in [
        "unknown type 42",
        "too much at a time",
        "another torrent",
        "bitfield",
        "too long",
    ] {
        assert!(said.contains(why), "{why}: {said}");
    }
}
