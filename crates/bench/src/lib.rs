//! The ground floor, step by step, each ready to be repeated: for criterion (`benches/floor.rs`), which measures time, and for
//! `src/count.rs`, which runs under callgrind and counts instructions.
//!
//! A step that does not do what it is to do panics, so that nothing is measured that is not done.

mod steps;
mod turn;

/// Something that is done once for each request.
pub struct Floor {
    /// For the command line and for tables.
    pub name: &'static str,
    /// What is done.
    pub what: &'static str,
    /// Makes everything ready; what it gives does it once.
    pub prepare: fn() -> Step,
}

/// One repetition.
pub type Step = Box<dyn FnMut()>;

/// All of them, from the socket inwards.
pub const FLOORS: &[Floor] = &[
    Floor {
        name: "turn-1k",
        what: "a session's whole turn, 1 KB from memory, with the client's write and read",
        prepare: || turn::prepare(1 << 10),
    },
    Floor {
        name: "turn-64k",
        what: "the same, 64 KB by sendfile",
        prepare: || turn::prepare(64 << 10),
    },
    Floor {
        name: "parse",
        what: "a request head as generators send it",
        prepare: || steps::parse(steps::SHORT),
    },
    Floor {
        name: "parse-browser",
        what: "a request head as a browser sends it",
        prepare: || steps::parse(steps::BROWSER),
    },
    Floor {
        name: "answer",
        what: "the same short request parsed and answered: head rendered, exchange finished",
        prepare: steps::answer,
    },
    Floor {
        name: "name-cache",
        what: "a name found in the cache",
        prepare: turn::name_cache,
    },
    Floor {
        name: "count-answer",
        what: "an answer counted and its latency recorded, by the server",
        prepare: steps::count_answer,
    },
    Floor {
        name: "read-response",
        what: "a response of 1 KB read, by the generator",
        prepare: steps::read_response,
    },
    Floor {
        name: "arrival",
        what: "the next of Poisson arrivals taken, by the generator",
        prepare: steps::arrival,
    },
    Floor {
        name: "client-turn",
        what: "a client of a closed loop taken and handed back, by the generator",
        prepare: steps::client_turn,
    },
    Floor {
        name: "record",
        what: "a latency recorded, by the generator",
        prepare: steps::record,
    },
];
