//! What a thread has to say at the end beside its records.

use crate::clock::Nanos;
use crate::cpu::ThreadTimes;
use crate::fidelity::Fidelity;

/// What a thread has to say at the end beside its records.
pub(crate) struct Ended {
    pub(crate) fidelity: Option<Fidelity>,
    /// When its last request was dealt with.
    pub(crate) at: Nanos,
    /// When its schedule ended: as planned, or when it was stopped from outside.
    pub(crate) stopped_at: Nanos,
    pub(crate) times: ThreadTimes,
    /// Of its processor time, what it span away waiting for due times.
    pub(crate) spun: Nanos,
    /// Requests that were due by the end.
    pub(crate) scheduled: u64,
    /// Requests under way when the drain ended.
    pub(crate) unfinished: u64,
    /// Arrivals that were never sent.
    pub(crate) unsent: u64,
    /// Whether the run was given up because the server was gone.
    pub(crate) gave_up: bool,
    /// Connections in the end, opened or not.
    pub(crate) connections: usize,
    /// How many were made to each address.
    pub(crate) made: Vec<u64>,
    /// Connections that had not brought an answer when the last request had been made, though they were asked in the first half
    /// of the time until then.
    pub(crate) unheard: usize,
    /// When the last answer came, whatever it was.
    pub(crate) last_answer: Nanos,
    /// Measured requests that were answered well, by client (closed loop).
    pub(crate) answered_of: Vec<u64>,
}
