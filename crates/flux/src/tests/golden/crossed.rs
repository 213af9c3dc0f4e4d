use crate::nodes;
use flux_runtime::{Locks, Mode, Scope, Program, Step};

/// Where a flow is, and what it has in hand.
enum State {
    /// `Cook` runs.
    Cook,
    /// `Board` takes ale!, bread!, cheese!.
    EnterBoard { guest: i32 },
    /// `Carve` runs.
    Carve { guest: i32 },
    /// `Pour` runs.
    Pour,
    /// `Innkeeper` runs.
    Innkeeper,
    /// `Table` takes ale!.
    EnterTable { guest: i32 },
    /// `Lay` takes bread!, cheese!.
    EnterLay { guest: i32 },
    /// `Lay` runs.
    Lay { guest: i32 },
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
        sources: &["Innkeeper", "Cook"],
        places: &[
            "Cook",
            "EnterBoard",
            "Carve",
            "Pour",
            "Innkeeper",
            "EnterTable",
            "EnterLay",
            "Lay",
        ],
        constraints: &[Scope::Program, Scope::Program, Scope::Program],
        paths: 2,
    };

    fn step(self, _: &mut Self::Context, locks: &mut impl Locks) -> Step<Self> {
        let Self { state, path, session } = self;
        let state = match state {
            State::Cook => {
                let Some(guest) = nodes::cook() else { return Step::Exhausted };
                return Step::Begun(Self {
                    state: State::EnterBoard { guest },
                    path: 1,
                    session: 0,
                });
            }
            State::EnterBoard { guest } => {
                if !locks
                    .acquire(
                        &[(0, Mode::Writer), (1, Mode::Writer), (2, Mode::Writer)],
                        session,
                    )
                {
                    let state = State::EnterBoard { guest };
                    return Step::Blocked(Self { state, path, session });
                }
                State::Carve { guest }
            }
            State::Carve { guest } => {
                nodes::carve(guest);
                State::Pour
            }
            State::Pour => {
                nodes::pour();
                locks.release(3);
                return Step::Done(path);
            }
            State::Innkeeper => {
                let Some(guest) = nodes::innkeeper() else { return Step::Exhausted };
                return Step::Begun(Self {
                    state: State::EnterTable { guest },
                    path: 0,
                    session: 0,
                });
            }
            State::EnterTable { guest } => {
                if !locks.acquire(&[(0, Mode::Writer)], session) {
                    let state = State::EnterTable { guest };
                    return Step::Blocked(Self { state, path, session });
                }
                State::EnterLay { guest }
            }
            State::EnterLay { guest } => {
                if !locks.acquire(&[(1, Mode::Writer), (2, Mode::Writer)], session) {
                    let state = State::EnterLay { guest };
                    return Step::Blocked(Self { state, path, session });
                }
                State::Lay { guest }
            }
            State::Lay { guest } => {
                nodes::lay(guest);
                locks.release(2);
                locks.release(1);
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
            State::Cook => 0,
            State::EnterBoard { .. } => 1,
            State::Carve { .. } => 2,
            State::Pour => 3,
            State::Innkeeper => 4,
            State::EnterTable { .. } => 5,
            State::EnterLay { .. } => 6,
            State::Lay { .. } => 7,
        }
    }
}

impl flux_runtime::Sourced for Flow {
    fn source(number: usize) -> Self {
        let (state, path) = match number {
            0 => (State::Innkeeper, 0),
            _ => (State::Cook, 1),
        };
        Self { state, path, session: 0 }
    }
}
