//! The game server over sockets, on each runtime.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::net::UdpSocket;
use std::time::Duration;

use clap::Parser;
use flux_servers::game::message::{Direction, Heartbeat, Message, News};
use flux_servers::game::players::{self, play};
use flux_servers::game::{Server, Settings, Summary};

use support::RUNTIMES;

#[derive(Parser)]
struct Typed {
    #[command(flatten)]
    settings: Settings,
}

type Running = support::Running<Summary>;

fn start(options: &[&str]) -> Running {
    let typed = [
        &["game", "--addr", "127.0.0.1:0", "--threads", "2"],
        options,
    ]
    .concat();
    let server = Server::bind(&Typed::parse_from(typed).settings).unwrap();
    let (address, stop) = (server.address(), server.stop());
    Running::start(address, move || stop.stop(), move || server.run())
}

/// A player.
struct Player {
    socket: UdpSocket,
    token: u64,
}

impl Player {
    fn connect(server: &Running) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server.address).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        socket
    }

    fn join(server: &Running) -> Self {
        let socket = Self::connect(server);
        socket.send(&Message::Hello.datagram()).unwrap();
        match news(&socket) {
            News::Challenge(token) => Self { socket, token },
            other => panic!("{other:?}"),
        }
    }

    fn wish(&self, sequence: u32, direction: u8) {
        let wish = Message::Wish {
            token: self.token,
            sequence,
            direction: Direction::new(direction).unwrap(),
        };
        self.socket.send(&wish.datagram()).unwrap();
    }

    fn heartbeat(&self) -> Heartbeat {
        match news(&self.socket) {
            News::Heartbeat(heartbeat) => heartbeat,
            other => panic!("{other:?}"),
        }
    }

    /// The first heartbeat that is as it should be; none would be, of a server that does not do what was asked.
    fn until(&self, is_so: impl Fn(&Heartbeat) -> bool) -> Heartbeat {
        loop {
            let heartbeat = self.heartbeat();
            if is_so(&heartbeat) {
                return heartbeat;
            }
        }
    }
}

fn news(socket: &UdpSocket) -> News {
    let mut datagram = [0; 65_536];
    let length = socket.recv(&mut datagram).unwrap();
    News::parse(&datagram[..length]).unwrap()
}

#[test]
fn players_move_as_they_wish_and_hear_of_each_other() {
    for runtime in RUNTIMES {
        let server = start(&["--runtime", runtime]);
        let first = Player::join(&server);
        first.wish(1, 0);
        let alone = first.heartbeat();
        assert_eq!(
            (alone.players.len(), alone.you, alone.it),
            (1, 0, 0),
            "{runtime}"
        );
        let second = Player::join(&server);
        second.wish(1, 3);
        let both = second.heartbeat();
        assert_eq!((both.players.len(), both.you), (2, 1), "{runtime}");
        // A field to the east with each heartbeat.
        let at = |heartbeat: &Heartbeat| {
            let mut places = heartbeat.players.iter();
            *places.find(|place| place.player == 1).unwrap()
        };
        let before = at(&both);
        let next = second.heartbeat();
        assert_eq!(
            (at(&next).x, at(&next).y),
            (before.x + 1, before.y),
            "{runtime}"
        );
        first.until(|heartbeat| heartbeat.players.len() == 2);
        second
            .socket
            .send(
                &Message::Leave {
                    token: second.token,
                }
                .datagram(),
            )
            .unwrap();
        let left = first.until(|heartbeat| heartbeat.players.len() == 1);
        assert_eq!(left.you, 0, "{runtime}");
        let summary = server.stop();
        assert_eq!(
            (summary.wishes, summary.ignored, summary.defects),
            (2, 0, 0),
            "{runtime}"
        );
        assert!(
            summary.beats >= 3 && summary.told >= 4,
            "{runtime} {summary:?}"
        );
    }
}

#[test]
fn packets_of_nobody_are_ignored() {
    for runtime in RUNTIMES {
        let server = start(&["--runtime", runtime]);
        let player = Player::join(&server);
        player.wish(1, 3);
        player.heartbeat();
        let stranger = Player::connect(&server);
        let mut wish = Message::Wish {
            token: player.token,
            sequence: 7,
            direction: Direction::new(1).unwrap(),
        }
        .datagram();
        // In another's name, and with a token that was guessed.
        stranger.send(&wish).unwrap();
        stranger
            .send(
                &Message::Leave {
                    token: player.token,
                }
                .datagram(),
            )
            .unwrap();
        wish[5] ^= 1;
        player.socket.send(&wish).unwrap();
        // Nothing, noise, what is too short, and what is far too long.
        for packet in [
            &b""[..],
            b"TAG1",
            b"\xff\xff\xff\xff\xff",
            &wish[..17],
            &[b'T'; 9000],
        ] {
            stranger.send(packet).unwrap();
        }
        // What others have overtaken: the wish itself counts once.
        player.wish(1, 5);
        player.wish(2, 0);
        let stands = player.heartbeat();
        let later = player.until(|heartbeat| heartbeat.beat > stands.beat + 1);
        assert_eq!(later.players.len(), 1, "{runtime}");
        // Datagrams are taken in their order: once this is answered, all others have been taken.
        Player::join(&server);
        let summary = server.stop();
        assert_eq!((summary.wishes, summary.ignored), (2, 9), "{runtime}");
        // Who did not join was not told of a single heartbeat.
        stranger.set_nonblocking(true).unwrap();
        assert!(stranger.recv(&mut [0; 100]).is_err(), "{runtime}");
    }
}

#[test]
fn players_by_the_dozen_measure_how_late_heartbeats_are() {
    let folder = tempfile::tempdir().unwrap();
    for runtime in RUNTIMES {
        let profile = folder.path().join(runtime);
        let server = start(&["--runtime", runtime, "--profile", profile.to_str().unwrap()]);
        let seen = play(&players::Settings {
            address: format!("http://{}", server.address),
            count: 12,
            warm_up: Duration::from_millis(300),
            duration: Duration::from_millis(1500),
            output_format: command::output::Format::Text,
        });
        let report = seen.unwrap().report();
        let summary = server.stop();
        let told = report.requests.completed.unwrap();
        assert!(told >= 1 && told <= summary.told, "{runtime} {summary:?}");
        assert!(
            report.response_time_us.unwrap().min == Some(0.0),
            "{runtime}"
        );
        assert!(summary.wishes >= 1, "{runtime} {summary:?}");
        let lines = std::fs::read_to_string(&profile).unwrap();
        let beats = format!("path 4 {}\n", summary.beats);
        assert!(lines.contains(&beats), "{runtime}\n{lines}");
    }
}

#[test]
fn where_nobody_serves_the_players_say_so() {
    let free = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    let seen = play(&players::Settings {
        address: address.clone(),
        count: 1,
        warm_up: Duration::ZERO,
        duration: Duration::from_millis(50),
        output_format: command::output::Format::Text,
    });
    let why = seen.unwrap_err();
    assert!(
        why.contains(&address) && why.contains("flux-servers game"),
        "{why}"
    );
}
