//! The streams of a connection, and which of them is next.

use std::mem::take;

use crate::h1::scratch::Scratch;
use crate::h2::flow::{Overflow, Window};
use crate::h2::priority::Priority;
use crate::h2::stream::Stream;

/// Places that are kept for the next requests of an idle connection.
const MOST_SPARE: usize = 32;

/// What is next of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Step {
    /// Nobody has the place.
    #[default]
    Free,
    /// Its request's body has to come.
    Body,
    /// Its file is to be found.
    Find,
    /// Somebody looks for it.
    Finding,
    /// Bytes of its file are to be had.
    Load,
    /// Somebody fetches them.
    Loading,
    /// Something of it can be sent, as soon as the client has room.
    Ready,
    /// What is left can be sent whether there is room or not.
    Last,
    /// It is over, but somebody works for it.
    Gone,
}

/// A place for a stream: what the choice of the next one looks at lies close together.
#[derive(Debug, Default)]
struct Slot {
    number: u32,
    /// When it was last chosen, in turns of the connection.
    turn: u32,
    step: Step,
    priority: Priority,
    stream: Option<Box<Stream>>,
}

impl Slot {
    /// Those of smaller ranks go first (RFC 9218, section 10): by urgency, then those that are of use only as a whole, in the order in
    /// which they came, then the others in turns.
    fn rank(&self) -> (u8, bool, u32) {
        let Priority {
            urgency,
            incremental,
        } = self.priority;
        let order = if incremental { self.turn } else { self.number };
        (urgency, incremental, order)
    }
}

/// What may be done next, each of which by its place.
#[derive(Debug, Default)]
pub(super) struct Next {
    pub(super) find: Option<usize>,
    pub(super) load: Option<usize>,
    pub(super) send: Option<usize>,
    /// The one to send is the next to send as well, for as long as nothing changes.
    pub(super) is_alone: bool,
}

/// The streams of a connection.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    live: usize,
    /// Of those, whose requests are not whole.
    incomplete: usize,
    turns: u32,
}

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.live
    }

    pub(super) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Whether a request is whole, and not answered.
    pub(super) fn is_any_answered(&self) -> bool {
        self.live > self.incomplete
    }

    /// Whether anybody works for a stream.
    pub(super) fn has_works(&self) -> bool {
        let is_out = |step| matches!(step, Step::Finding | Step::Loading | Step::Gone);
        self.slots.iter().any(|slot| is_out(slot.step))
    }

    /// Gives a stream a place.
    pub(super) fn insert(&mut self, number: u32, stream: Box<Stream>) -> usize {
        let place = match self.slots.iter().position(|slot| slot.step == Step::Free) {
            Some(place) => place,
            None => {
                self.slots.push(Slot::default());
                self.slots.len() - 1
            }
        };
        self.slots[place] = Slot {
            number,
            turn: self.turns,
            step: Step::Body,
            priority: stream.head.priority,
            stream: Some(stream),
        };
        self.live += 1;
        self.incomplete += 1;
        place
    }

    /// Takes a stream's place; what it needed serves others.
    pub(super) fn free(&mut self, place: usize, scratch: &mut Scratch) {
        self.set(place, Step::Gone);
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        let slot = take(slot);
        if let Some(stream) = slot.stream {
            scratch.give_back_stream(stream);
        }
        if slot.step != Step::Free {
            self.live -= 1;
        }
        if self.live == 0 && self.slots.capacity() > MOST_SPARE {
            self.slots = Vec::new();
        }
    }

    /// A stream is over before its end; its place is free once nobody works for it.
    pub(super) fn give_up(&mut self, place: usize, scratch: &mut Scratch) {
        match self.step(place) {
            Step::Finding | Step::Loading | Step::Gone => self.set(place, Step::Gone),
            _ => self.free(place, scratch),
        }
    }

    /// All of them are.
    pub(super) fn give_up_all(&mut self, scratch: &mut Scratch) {
        for place in 0..self.slots.len() {
            if self.step(place) != Step::Free {
                self.give_up(place, scratch);
            }
        }
    }

    pub(super) fn step(&self, place: usize) -> Step {
        self.slots.get(place).map_or(Step::Free, |slot| slot.step)
    }

    pub(super) fn set(&mut self, place: usize, step: Step) {
        if let Some(slot) = self.slots.get_mut(place)
            && slot.step != Step::Free
        {
            self.incomplete -= usize::from(slot.step == Step::Body);
            self.incomplete += usize::from(step == Step::Body);
            slot.step = step;
        }
    }

    pub(super) fn number(&self, place: usize) -> u32 {
        self.slots.get(place).map_or(0, |slot| slot.number)
    }

    pub(super) fn place(&self, number: u32) -> Option<usize> {
        let is_it = |slot: &Slot| slot.number == number && slot.step != Step::Free;
        self.slots.iter().position(is_it)
    }

    pub(super) fn stream(&self, place: usize) -> Option<&Stream> {
        self.slots.get(place)?.stream.as_deref()
    }

    pub(super) fn stream_mut(&mut self, place: usize) -> Option<&mut Stream> {
        self.slots.get_mut(place)?.stream.as_deref_mut()
    }

    /// The first that has come so far.
    pub(super) fn first(&self, step: Step) -> Option<usize> {
        self.slots.iter().position(|slot| slot.step == step)
    }

    /// The first whose answer waits for its client to make room.
    pub(super) fn first_without_room(&self) -> Option<usize> {
        let waits = |slot: &Slot| {
            let Some(stream) = slot.stream.as_deref() else {
                return false;
            };
            match slot.step {
                Step::Ready => stream.ready() > 0,
                Step::Load => stream.delivery.has_begun(),
                _ => false,
            }
        };
        self.slots.iter().position(waits)
    }

    pub(super) fn prioritise(&mut self, number: u32, priority: Priority) {
        if let Some(place) = self.place(number) {
            self.slots[place].priority = priority;
        }
    }

    /// It is this one's turn.
    pub(super) fn turn(&mut self, place: usize) -> Option<(u32, &mut Stream, Step)> {
        let slot = self.slots.get_mut(place)?;
        self.turns = self.turns.wrapping_add(1);
        slot.turn = self.turns;
        let stream = slot.stream.as_deref_mut()?;
        Some((slot.number, stream, slot.step))
    }

    /// All windows change by so much (RFC 9113, section 6.9.2).
    pub(super) fn change_windows(&mut self, by: i64) -> Result<(), Overflow> {
        let streams = self
            .slots
            .iter_mut()
            .filter_map(|slot| slot.stream.as_deref_mut());
        for stream in streams {
            stream.window.change(by)?;
        }
        Ok(())
    }

    /// What may be done next: `window` is how much of all answers the client has room for, and so many may be at hand at most.
    #[inline]
    pub(super) fn next(&self, window: Window, most_at_hand: usize) -> Next {
        let mut next = Next::default();
        let (mut best_load, mut best_send) = (None, None);
        let (mut at_hand, mut to_send) = (0, 0);
        let is_open = window.open() > 0;
        for (place, slot) in self.slots.iter().enumerate() {
            let better =
                |best: &Option<(u8, bool, u32)>| best.is_none_or(|best| slot.rank() < best);
            match (slot.step, &slot.stream) {
                (Step::Find, _) => {
                    next.find = Some(place);
                    return next;
                }
                (Step::Loading, _) => at_hand += 1,
                (Step::Load, Some(stream)) => {
                    // Its client may wait for the head before it makes room.
                    let has_room = is_open && stream.window.open() > 0;
                    let is_wanted = has_room || !stream.delivery.has_begun();
                    if is_wanted && better(&best_load) {
                        (next.load, best_load) = (Some(place), Some(slot.rank()));
                    }
                }
                (Step::Ready, Some(stream)) => {
                    let has_room = is_open && stream.window.open() > 0 && stream.ready() > 0;
                    at_hand += usize::from(has_room);
                    let has_any = has_room || !stream.frames.is_empty();
                    to_send += usize::from(has_any);
                    if has_any && better(&best_send) {
                        (next.send, best_send) = (Some(place), Some(slot.rank()));
                    }
                }
                (Step::Last, _) => {
                    to_send += 1;
                    if better(&best_send) {
                        (next.send, best_send) = (Some(place), Some(slot.rank()));
                    }
                }
                _ => {}
            }
        }
        next.load = next.load.filter(|_| at_hand < most_at_hand);
        // Those that are of use only as a whole keep their rank.
        let in_turns = best_send.is_some_and(|(_, incremental, _)| incremental);
        next.is_alone = to_send == 1 || !in_turns;
        next
    }

    /// The memory that it holds on to, in bytes, without that of its streams.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }
}
