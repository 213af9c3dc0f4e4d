//! The rules of tag. Time is counted in heartbeats, so that the same wishes always make the same game.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::message::{Direction, Heartbeat, Place};

/// The board is a square of so many fields a side.
const SIDE: u16 = 256;
/// Who has not been heard of for so many heartbeats has left.
const SILENT_BEATS: u32 = 50;
/// Who has just been tagged tags nobody for so many.
const GRACE_BEATS: u32 = 10;
/// The most players: a heartbeat has to fit into a datagram, and is sent to each of them.
const MOST_PLAYERS: usize = 1000;
/// Steps in a heartbeat: whoever is it is quicker.
const STEPS: i32 = 1;
const STEPS_OF_IT: i32 = 2;

/// Players, and who is it.
#[derive(Debug, Default)]
pub(crate) struct Board {
    players: BTreeMap<SocketAddr, Player>,
    numbers: BTreeSet<u16>,
    it: Option<u16>,
    /// From then on it may tag.
    tags_from: u32,
    beat: u32,
}

#[derive(Debug)]
struct Player {
    number: u16,
    x: u16,
    y: u16,
    direction: Direction,
    sequence: u32,
    heard: u32,
}

/// What players are told after a heartbeat.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The same for all, but for whom it is addressed to.
    pub(crate) datagram: Vec<u8>,
    /// Where each player is, and under which number.
    pub(crate) to: Vec<(SocketAddr, u16)>,
}

impl Board {
    /// Without players.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A player wishes to go somewhere, and joins with the first wish. Whether it was taken: one that others have overtaken is not, nor
    /// is a further player where there are as many as there may be.
    pub(crate) fn wish(&mut self, from: SocketAddr, sequence: u32, direction: Direction) -> bool {
        if let Some(player) = self.players.get_mut(&from) {
            let is_newer = sequence.wrapping_sub(player.sequence).cast_signed() > 0;
            if is_newer {
                player.sequence = sequence;
                player.direction = direction;
                player.heard = self.beat;
            }
            return is_newer;
        }
        let mut numbers = (0_u16..).take(MOST_PLAYERS);
        let Some(number) = numbers.find(|number| !self.numbers.contains(number)) else {
            return false;
        };
        self.numbers.insert(number);
        // Neighbours by number are none on the board.
        let field = |step: u16| number.wrapping_mul(step) % SIDE;
        let player = Player {
            number,
            x: field(37),
            y: field(101),
            direction,
            sequence,
            heard: self.beat,
        };
        self.players.insert(from, player);
        self.it.get_or_insert(number);
        true
    }

    /// A player leaves. Whether there was one.
    pub(crate) fn leave(&mut self, from: SocketAddr) -> bool {
        let Some(player) = self.players.remove(&from) else {
            return false;
        };
        self.numbers.remove(&player.number);
        if self.it == Some(player.number) {
            // The one who has played longest, as a rule.
            self.it = self.numbers.first().copied();
            self.tags_from = self.beat + GRACE_BEATS;
        }
        true
    }

    /// Has everybody move, and whoever is it tag.
    pub(crate) fn advance(&mut self, beat: u32) -> Frame {
        self.beat = beat;
        let is_silent = |player: &Player| beat - player.heard.min(beat) > SILENT_BEATS;
        let silent = self.players.iter().filter(|(_, player)| is_silent(player));
        let silent: Vec<_> = silent.map(|(from, _)| *from).collect();
        for from in silent {
            self.leave(from);
        }
        for player in self.players.values_mut() {
            let steps = match self.it == Some(player.number) {
                true => STEPS_OF_IT,
                false => STEPS,
            };
            let (right, down) = player.direction.step();
            player.x = moved(player.x, right * steps);
            player.y = moved(player.y, down * steps);
        }
        if beat >= self.tags_from
            && let Some(tagged) = self.tagged()
        {
            self.it = Some(tagged);
            self.tags_from = beat + GRACE_BEATS;
        }
        let place = |player: &Player| Place {
            player: player.number,
            x: player.x,
            y: player.y,
        };
        let heartbeat = Heartbeat {
            beat,
            you: 0,
            it: self.it.unwrap_or(0),
            players: self.players.values().map(place).collect(),
        };
        let to = self.players.iter();
        Frame {
            datagram: heartbeat.datagram(),
            to: to.map(|(from, player)| (*from, player.number)).collect(),
        }
    }

    /// Whom the one who is it touches: of several, the one with the least number.
    fn tagged(&self) -> Option<u16> {
        let it = self.players.values();
        let it = it.clone().find(|player| self.it == Some(player.number))?;
        let touches = |player: &&Player| {
            player.number != it.number
                && player.x.abs_diff(it.x) <= 1
                && player.y.abs_diff(it.y) <= 1
        };
        let touched = self.players.values().filter(touches);
        touched.map(|player| player.number).min()
    }
}

/// A step, which ends at the wall.
fn moved(at: u16, by: i32) -> u16 {
    let to = (i32::from(at) + by).clamp(0, i32::from(SIDE) - 1);
    u16::try_from(to).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::message::News;
    use super::*;

    const NOWHERE: u8 = 0;
    const EAST: u8 = 3;
    const WEST: u8 = 7;

    fn player(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn to(number: u8) -> Direction {
        Direction::new(number).unwrap()
    }

    fn told(frame: &Frame) -> Heartbeat {
        match News::parse(&frame.datagram) {
            Some(News::Heartbeat(heartbeat)) => heartbeat,
            other => panic!("{other:?}"),
        }
    }

    /// Number 0 at (0, 0) is it; number 1 begins at (37, 101).
    fn two() -> Board {
        let mut board = Board::new();
        assert!(board.wish(player(1), 1, to(NOWHERE)));
        assert!(board.wish(player(2), 1, to(NOWHERE)));
        board
    }

    #[test]
    fn a_wish_holds_until_the_next_and_walls_stop() {
        let mut board = two();
        board.wish(player(2), 2, to(EAST));
        let xs: Vec<u16> = (1..=3)
            .map(|beat| told(&board.advance(beat)).players[1].x)
            .collect();
        assert_eq!(xs, [38, 39, 40]);
        assert!(!board.wish(player(2), 1, to(WEST)), "a stale wish");
        assert!(!board.wish(player(2), 2, to(WEST)), "the same again");
        board.wish(player(2), 3, to(WEST));
        for beat in 4..=49 {
            board.advance(beat);
        }
        assert_eq!(told(&board.advance(50)).players[1].x, 0);
    }

    #[test]
    fn sequence_numbers_begin_anew_after_the_last() {
        let mut board = Board::new();
        assert!(board.wish(player(1), u32::MAX, to(EAST)));
        assert!(board.wish(player(1), 0, to(WEST)));
        assert!(!board.wish(player(1), u32::MAX, to(EAST)));
    }

    #[test]
    fn whoever_is_it_is_quicker_and_tags_once() {
        let mut board = Board::new();
        for port in 1..=2 {
            board.wish(player(port), 1, to(NOWHERE));
        }
        // Side by side, and both run east.
        for (number, of) in board.players.values_mut().enumerate() {
            (of.x, of.y) = (10 + 4 * number as u16, 10);
            of.direction = to(EAST);
        }
        let its: Vec<u16> = (1..=14).map(|beat| told(&board.advance(beat)).it).collect();
        // 10 and 14, 12 and 15, 14 and 16, 16 and 17: tagged; the other one overtakes, and is not tagged back for ten heartbeats.
        assert_eq!(its[..3], [0, 0, 1]);
        assert!(its[3..12].iter().all(|it| *it == 1), "{its:?}");
    }

    #[test]
    fn who_is_silent_has_left_and_somebody_else_is_it() {
        let mut board = two();
        for beat in 1..=SILENT_BEATS {
            board.wish(player(2), 1 + beat, to(NOWHERE));
            assert_eq!(board.advance(beat).to.len(), 2, "{beat}");
        }
        let heartbeat = told(&board.advance(SILENT_BEATS + 1));
        assert_eq!((heartbeat.players.len(), heartbeat.it), (1, 1));
        // Who comes back is new, and has the number that has become free.
        assert!(board.wish(player(1), 1, to(NOWHERE)));
        assert!(board.leave(player(2)) && !board.leave(player(2)));
        let frame = board.advance(SILENT_BEATS + 2);
        assert_eq!(frame.to, [(player(1), 0)]);
        assert_eq!(told(&frame).it, 0);
    }

    #[test]
    fn there_is_room_for_so_many_players_and_a_datagram_for_all_of_them() {
        let mut board = Board::new();
        for port in 1..=MOST_PLAYERS as u16 {
            assert!(board.wish(player(port), 1, to(NOWHERE)));
        }
        assert!(!board.wish(player(9999), 1, to(NOWHERE)));
        let frame = board.advance(1);
        assert_eq!(told(&frame).players.len(), MOST_PLAYERS);
        assert!(frame.datagram.len() < 65_000, "{}", frame.datagram.len());
    }
}
