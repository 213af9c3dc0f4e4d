use crate::nodes::{self, Packet};
use flux_runtime::{Locks, Mode, Scope, Program, Step};

/// Where a flow is, and what it has in hand.
enum State {
    /// `Players` runs.
    Players,
    /// `Pause` runs.
    Pause { beat: u64 },
    /// `Tell` runs.
    Tell { beat: u64 },
    /// `Datagram` runs.
    Datagram,
    /// `Sit` takes seat!(session).
    EnterSit { packet: Packet },
    /// `Sit` runs.
    Sit { packet: Packet },
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
        places: &["Players", "Pause", "Tell", "Datagram", "EnterSit", "Sit"],
        constraints: &[Scope::Session],
        paths: 2,
    };

    fn step(self, _: &mut Self::Context, locks: &mut impl Locks) -> Step<Self> {
        let Self { state, path, session } = self;
        let state = match state {
            State::Players => {
                let Some(beat) = nodes::players() else { return Step::Exhausted };
                State::Pause { beat }
            }
            State::Pause { beat } => {
                let beat = nodes::pause(beat);
                return Step::Begun(Self {
                    state: State::Tell { beat },
                    path: 1,
                    session: 0,
                });
            }
            State::Tell { beat } => {
                nodes::tell(beat);
                return Step::Done(path);
            }
            State::Datagram => {
                let Some(packet) = nodes::datagram() else { return Step::Exhausted };
                let session = nodes::player_of(&packet);
                return Step::Begun(Self {
                    state: State::EnterSit { packet },
                    path: 0,
                    session,
                });
            }
            State::EnterSit { packet } => {
                if !locks.acquire(&[(0, Mode::Writer)], session) {
                    let state = State::EnterSit { packet };
                    return Step::Blocked(Self { state, path, session });
                }
                State::Sit { packet }
            }
            State::Sit { packet } => {
                nodes::sit(packet);
                locks.release(1);
                return Step::Done(path);
            }
        };
        Step::Next(Self { state, path, session })
    }

    fn may_wait(&self) -> bool {
        matches!(self.state, State::Sit { .. })
    }

    fn place(&self) -> usize {
        match self.state {
            State::Players => 0,
            State::Pause { .. } => 1,
            State::Tell { .. } => 2,
            State::Datagram => 3,
            State::EnterSit { .. } => 4,
            State::Sit { .. } => 5,
        }
    }
}

impl flux_runtime::Sourced for Flow {
    fn source(number: usize) -> Self {
        let (state, path) = match number {
            0 => (State::Datagram, 0),
            _ => (State::Players, 1),
        };
        Self { state, path, session: 0 }
    }
}
