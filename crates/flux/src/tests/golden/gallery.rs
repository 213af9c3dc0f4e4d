use crate::nodes::{self, Picture};
use flux_runtime::{Locks, Mode, Scope, Program, Step};

/// Where a flow is, and what it has in hand.
enum State {
    /// `Accept` runs.
    Accept,
    /// `ReadOrder` runs.
    ReadOrder { socket: i32 },
    /// `LookUp` takes album?.
    EnterLookUp { socket: i32, close: bool, order: Picture },
    /// `LookUp` runs.
    LookUp { socket: i32, close: bool, order: Picture },
    /// `Develop` takes one of its ways.
    ChooseDevelop { socket: i32, close: bool, order: Picture },
    /// `Fetch` runs.
    Fetch { socket: i32, close: bool, order: Picture },
    /// `NotThere` runs.
    NotThere { socket: i32, close: bool, order: Picture },
    /// `Shrink` runs.
    Shrink { socket: i32, close: bool, order: Picture, raw: Vec<u8> },
    /// `Keep` takes album!.
    EnterKeep { socket: i32, close: bool, order: Picture },
    /// `Keep` runs.
    Keep { socket: i32, close: bool, order: Picture },
    /// `Send` runs.
    Send { socket: i32, close: bool, order: Picture },
    /// `Finish` takes album!.
    EnterFinish { socket: i32, close: bool, order: Picture },
    /// `Finish` runs.
    Finish { socket: i32, close: bool, order: Picture },
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
        sources: &["Accept"],
        places: &[
            "Accept",
            "ReadOrder",
            "EnterLookUp",
            "LookUp",
            "ChooseDevelop",
            "Fetch",
            "NotThere",
            "Shrink",
            "EnterKeep",
            "Keep",
            "Send",
            "EnterFinish",
            "Finish",
        ],
        constraints: &[Scope::Program],
        paths: 3,
    };

    fn step(self, _: &mut Self::Context, locks: &mut impl Locks) -> Step<Self> {
        let Self { state, mut path, session } = self;
        let state = match state {
            State::Accept => {
                let Some(socket) = nodes::accept() else { return Step::Exhausted };
                return Step::Begun(Self {
                    state: State::ReadOrder { socket },
                    path: 0,
                    session: 0,
                });
            }
            State::ReadOrder { socket } => {
                let (socket, close, order) = nodes::read_order(socket);
                State::EnterLookUp {
                    socket,
                    close,
                    order,
                }
            }
            State::EnterLookUp { socket, close, order } => {
                if !locks.acquire(&[(0, Mode::Reader)], session) {
                    let state = State::EnterLookUp {
                        socket,
                        close,
                        order,
                    };
                    return Step::Blocked(Self { state, path, session });
                }
                State::LookUp {
                    socket,
                    close,
                    order,
                }
            }
            State::LookUp { socket, close, order } => {
                let (socket, close, order) = nodes::look_up(socket, close, order);
                locks.release(1);
                State::ChooseDevelop {
                    socket,
                    close,
                    order,
                }
            }
            State::ChooseDevelop { socket, close, order } => {
                if nodes::is_in_album(&order) {
                    State::Send {
                        socket,
                        close,
                        order,
                    }
                } else {
                    path += 1;
                    State::Fetch {
                        socket,
                        close,
                        order,
                    }
                }
            }
            State::Fetch { socket, close, order } => {
                match nodes::fetch(socket, close, order) {
                    Ok((socket, close, order, raw)) => {
                        State::Shrink {
                            socket,
                            close,
                            order,
                            raw,
                        }
                    }
                    Err((socket, close, order)) => {
                        path += 1;
                        State::NotThere {
                            socket,
                            close,
                            order,
                        }
                    }
                }
            }
            State::NotThere { socket, close, order } => {
                nodes::not_there(socket, close, order);
                return Step::Done(path);
            }
            State::Shrink { socket, close, order, raw } => {
                let (socket, close, order) = nodes::shrink(socket, close, order, raw);
                State::EnterKeep {
                    socket,
                    close,
                    order,
                }
            }
            State::EnterKeep { socket, close, order } => {
                if !locks.acquire(&[(0, Mode::Writer)], session) {
                    let state = State::EnterKeep {
                        socket,
                        close,
                        order,
                    };
                    return Step::Blocked(Self { state, path, session });
                }
                State::Keep {
                    socket,
                    close,
                    order,
                }
            }
            State::Keep { socket, close, order } => {
                let (socket, close, order) = nodes::keep(socket, close, order);
                locks.release(1);
                State::Send {
                    socket,
                    close,
                    order,
                }
            }
            State::Send { socket, close, order } => {
                let (socket, close, order) = nodes::send(socket, close, order);
                State::EnterFinish {
                    socket,
                    close,
                    order,
                }
            }
            State::EnterFinish { socket, close, order } => {
                if !locks.acquire(&[(0, Mode::Writer)], session) {
                    let state = State::EnterFinish {
                        socket,
                        close,
                        order,
                    };
                    return Step::Blocked(Self { state, path, session });
                }
                State::Finish {
                    socket,
                    close,
                    order,
                }
            }
            State::Finish { socket, close, order } => {
                nodes::finish(socket, close, order);
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
            State::Accept => 0,
            State::ReadOrder { .. } => 1,
            State::EnterLookUp { .. } => 2,
            State::LookUp { .. } => 3,
            State::ChooseDevelop { .. } => 4,
            State::Fetch { .. } => 5,
            State::NotThere { .. } => 6,
            State::Shrink { .. } => 7,
            State::EnterKeep { .. } => 8,
            State::Keep { .. } => 9,
            State::Send { .. } => 10,
            State::EnterFinish { .. } => 11,
            State::Finish { .. } => 12,
        }
    }
}

impl flux_runtime::Sourced for Flow {
    fn source(_: usize) -> Self {
        let (state, path) = (State::Accept, 0);
        Self { state, path, session: 0 }
    }
}
