//! Datagrams of the game. Numbers are big-endian; whatever is shorter or longer than it should be is no datagram of the game.
//!
//! | from | datagram | behind the magic bytes |
//! | --- | --- | --- |
//! | player | hello | 0, and eleven bytes of nothing: the answer is no longer, so nobody can be flooded with it |
//! | player | wish | 1, token (8), sequence number (4), direction (1) |
//! | player | leave | 2, token (8) |
//! | server | challenge | 128, three bytes of nothing, token (8) |
//! | server | heartbeat | 129, its number (4), whose number is yours (2), who is it (2), how many players (2); number, x, y of each (6) |

/// What every datagram begins with.
const MAGIC: [u8; 4] = *b"TAG1";
const HELLO: u8 = 0;
const WISH: u8 = 1;
const LEAVE: u8 = 2;
const CHALLENGE: u8 = 128;
const HEARTBEAT: u8 = 129;
/// The longest datagram of a player's, in bytes.
pub(crate) const LONGEST_OF_PLAYER: usize = 18;
/// Where a heartbeat says which player is the one that reads it.
const YOU: std::ops::Range<usize> = 9..11;

/// What a player says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// May I have a token?
    Hello,
    /// That is where I wish to go; it holds until I say something else.
    Wish {
        /// Shows that what is sent to this address is received.
        token: u64,
        /// Grows from wish to wish: datagrams overtake each other.
        sequence: u32,
        /// Where to.
        direction: Direction,
    },
    /// I do not play any more.
    Leave {
        /// As with a wish.
        token: u64,
    },
}

/// Where to: nowhere, or one of eight neighbours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Direction(u8);

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The token of a player.
    Challenge(u64),
    /// Where everybody is.
    Heartbeat(Heartbeat),
}

/// Where everybody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The number of the heartbeat.
    pub beat: u32,
    /// The number of the player who is told.
    pub you: u16,
    /// Of the one who is it.
    pub it: u16,
    /// All players.
    pub players: Vec<Place>,
}

/// A player's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The player's number.
    pub player: u16,
    /// From the left.
    pub x: u16,
    /// From the top.
    pub y: u16,
}

impl Direction {
    /// 0: nowhere; 1 to 8: clockwise from north.
    pub fn new(number: u8) -> Option<Self> {
        (number <= 8).then_some(Self(number))
    }

    /// The step to the right and down.
    pub(crate) fn step(self) -> (i32, i32) {
        const STEPS: [(i32, i32); 9] = [
            (0, 0),
            (0, -1),
            (1, -1),
            (1, 0),
            (1, 1),
            (0, 1),
            (-1, 1),
            (-1, 0),
            (-1, -1),
        ];
        STEPS.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

impl Message {
    /// What a datagram says; nothing, if it is none of the game's.
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        let (&kind, rest) = datagram.strip_prefix(&MAGIC)?.split_first()?;
        match (kind, rest.len()) {
            (HELLO, 11) => Some(Self::Hello),
            (WISH, 13) => Some(Self::Wish {
                token: u64::from_be_bytes(*rest.first_chunk()?),
                sequence: u32::from_be_bytes(*rest[8..].first_chunk()?),
                direction: Direction::new(rest[12])?,
            }),
            (LEAVE, 8) => Some(Self::Leave {
                token: u64::from_be_bytes(*rest.first_chunk()?),
            }),
            _ => None,
        }
    }

    /// As a datagram.
    pub fn datagram(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        match self {
            Self::Hello => bytes.extend([HELLO; 12]),
            Self::Wish {
                token,
                sequence,
                direction,
            } => {
                bytes.push(WISH);
                bytes.extend(token.to_be_bytes());
                bytes.extend(sequence.to_be_bytes());
                bytes.push(direction.0);
            }
            Self::Leave { token } => {
                bytes.push(LEAVE);
                bytes.extend(token.to_be_bytes());
            }
        }
        bytes
    }
}

impl News {
    /// What a datagram of the server says.
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        let (&kind, rest) = datagram.strip_prefix(&MAGIC)?.split_first()?;
        match kind {
            CHALLENGE if rest.len() == 11 => Some(Self::Challenge(u64::from_be_bytes(
                *rest[3..].first_chunk()?,
            ))),
            HEARTBEAT => Heartbeat::parse(rest).map(Self::Heartbeat),
            _ => None,
        }
    }
}

/// A challenge as a datagram.
pub(crate) fn challenge(token: u64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend([CHALLENGE, 0, 0, 0]);
    bytes.extend(token.to_be_bytes());
    bytes
}

/// Has a heartbeat's datagram say who reads it.
pub(crate) fn address(datagram: &mut [u8], you: u16) {
    datagram[YOU].copy_from_slice(&you.to_be_bytes());
}

impl Heartbeat {
    /// As a datagram.
    pub(crate) fn datagram(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(HEARTBEAT);
        bytes.extend(self.beat.to_be_bytes());
        let count = u16::try_from(self.players.len()).unwrap_or(u16::MAX);
        let numbers = [self.you, self.it, count];
        let places = self.players.iter().take(count.into());
        let places = places.flat_map(|place| [place.player, place.x, place.y]);
        for number in numbers.into_iter().chain(places) {
            bytes.extend(number.to_be_bytes());
        }
        bytes
    }

    fn parse(rest: &[u8]) -> Option<Self> {
        let (beat, rest) = rest.split_first_chunk::<4>()?;
        let (numbers, uneven) = rest.as_chunks::<2>();
        let numbers: Vec<u16> = numbers.iter().copied().map(u16::from_be_bytes).collect();
        let (&[you, it, count], places) = numbers.split_first_chunk::<3>()?;
        let is_whole = uneven.is_empty() && places.len() == usize::from(count) * 3;
        let (places, _) = places.as_chunks::<3>();
        let place = |&[player, x, y]: &[u16; 3]| Place { player, x, y };
        is_whole.then(|| Self {
            beat: u32::from_be_bytes(*beat),
            you,
            it,
            players: places.iter().map(place).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_players_say_is_understood_and_nothing_else() {
        let direction = Direction::new(8).unwrap();
        let messages = [
            Message::Hello,
            Message::Leave { token: u64::MAX },
            Message::Wish {
                token: 0x0102_0304_0506_0708,
                sequence: 9,
                direction,
            },
        ];
        for message in messages {
            let mut datagram = message.datagram();
            assert!(datagram.len() <= LONGEST_OF_PLAYER);
            assert_eq!(Message::parse(&datagram), Some(message));
            for end in 0..datagram.len() {
                assert_eq!(Message::parse(&datagram[..end]), None, "{message:?} {end}");
            }
            datagram.push(0);
            assert_eq!(Message::parse(&datagram), None, "{message:?}");
        }
        let mut nowhere = messages[2].datagram();
        nowhere[17] = 9;
        assert_eq!(Message::parse(&nowhere), None);
        for kind in 3..=u8::MAX {
            let mut unknown = messages[2].datagram();
            unknown[4] = kind;
            assert_eq!(Message::parse(&unknown), None, "{kind}");
        }
    }

    #[test]
    fn an_answer_to_a_stranger_is_no_longer_than_the_question() {
        assert!(challenge(1).len() <= Message::Hello.datagram().len());
    }

    #[test]
    fn what_the_server_says_is_understood() {
        assert_eq!(News::parse(&challenge(77)), Some(News::Challenge(77)));
        let place = |player| Place {
            player,
            x: 300 + player,
            y: 5,
        };
        let mut heartbeat = Heartbeat {
            beat: 70_000,
            you: 0,
            it: 1,
            players: vec![place(0), place(1), place(513)],
        };
        let mut datagram = heartbeat.datagram();
        address(&mut datagram, 513);
        heartbeat.you = 513;
        for end in 0..datagram.len() {
            assert_eq!(News::parse(&datagram[..end]), None, "{end}");
        }
        assert_eq!(News::parse(&datagram), Some(News::Heartbeat(heartbeat)));
    }
}
