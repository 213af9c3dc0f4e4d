use crate::nodes::{self, Packet, Player};
use flux_runtime::{Locks, Mode, Scope, Program, Step};

/// Where a flow is, and what it has in hand.
enum State {
    /// `Players` takes board?.
    EnterPlayers,
    /// `Players` runs.
    Players,
    /// `Pause` runs.
    Pause { l: Vec<Player> },
    /// `Tell` runs.
    Tell { l: Vec<Player> },
    /// `Datagram` runs.
    Datagram,
    /// `Move` takes board!, log!, seat?(session).
    EnterMove { p: Packet },
    /// `Move` runs.
    Move { p: Packet },
}

/// A flow of the program.
pub(crate) struct Flow {
    state: State,
    /// The number of the path that it takes, as far as it got.
    path: u64,
    /// The session that it belongs to.
    session: u64,
}

impl flux_runtime::Flow for Flow {
    type Context = ();
    const PROGRAM: Program = Program {
        sources: &["Datagram", "Beat"],
        places: &[
            "EnterPlayers",
            "Players",
            "Pause",
            "Tell",
            "Datagram",
            "EnterMove",
            "Move",
        ],
        constraints: &[Scope::Program, Scope::Program, Scope::Session],
        paths: 2,
    };

    fn step(self, _: &mut Self::Context, locks: &mut impl Locks) -> Step<Self> {
        let Self { state, path, session } = self;
        let state = match state {
            State::EnterPlayers => {
                if !locks.acquire(&[(0, Mode::Reader)], session) {
                    let state = State::EnterPlayers;
                    return Step::Blocked(Self { state, path, session });
                }
                State::Players
            }
            State::Players => {
                let Some(l) = nodes::players() else { return Step::Exhausted };
                locks.release(1);
                State::Pause { l }
            }
            State::Pause { l } => {
                let l = nodes::pause(l);
                return Step::Begun(Self {
                    state: State::Tell { l },
                    path: 1,
                    session: 0,
                });
            }
            State::Tell { l } => {
                nodes::tell(l);
                return Step::Done(path);
            }
            State::Datagram => {
                let Some(p) = nodes::datagram() else { return Step::Exhausted };
                let session = nodes::player_of(&p);
                return Step::Begun(Self {
                    state: State::EnterMove { p },
                    path: 0,
                    session,
                });
            }
            State::EnterMove { p } => {
                if !locks
                    .acquire(
                        &[(0, Mode::Writer), (1, Mode::Writer), (2, Mode::Reader)],
                        session,
                    )
                {
                    let state = State::EnterMove { p };
                    return Step::Blocked(Self { state, path, session });
                }
                State::Move { p }
            }
            State::Move { p } => {
                nodes::r#move(p);
                locks.release(3);
                return Step::Done(path);
            }
        };
        Step::Next(Self { state, path, session })
    }

    fn may_wait(&self) -> bool {
        false
    }

    fn place(&self) -> usize {
        match self.state {
            State::EnterPlayers => 0,
            State::Players => 1,
            State::Pause { .. } => 2,
            State::Tell { .. } => 3,
            State::Datagram => 4,
            State::EnterMove { .. } => 5,
            State::Move { .. } => 6,
        }
    }
}

impl flux_runtime::Sourced for Flow {
    fn source(number: usize) -> Self {
        let (state, path) = match number {
            0 => (State::Datagram, 0),
            _ => (State::EnterPlayers, 1),
        };
        Self { state, path, session: 0 }
    }
}
