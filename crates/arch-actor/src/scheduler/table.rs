//! The table of actors: who is there, by numbers that are theirs for good.

use std::sync::Arc;

use slab::Slab;

use crate::cell::Run;

/// Names an actor for good: its place in the table of actors, and which of those that had that place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    place: u32,
    generation: u32,
}

impl Number {
    pub(super) fn token(self) -> usize {
        (self.generation as usize) << 32 | self.place as usize
    }

    fn of(token: usize) -> Self {
        Self {
            place: (token & u32::MAX as usize) as u32,
            generation: (token >> 32) as u32,
        }
    }
}

/// All actors, each at its place.
#[derive(Default)]
pub(super) struct Actors {
    cells: Slab<Arc<dyn Run>>,
    generations: Vec<u32>,
}

impl Actors {
    /// Adds the actor that is made for a number.
    pub(super) fn add<C: Run + 'static>(&mut self, make: impl FnOnce(Number) -> Arc<C>) -> Arc<C> {
        let place = self.cells.vacant_key();
        if place == self.generations.len() {
            self.generations.push(0);
        }
        let cell = make(Number {
            place: place as u32,
            generation: self.generations[place],
        });
        self.cells.insert(Arc::clone(&cell) as Arc<dyn Run>);
        cell
    }

    /// Puts another actor in the place of one that is over, under its number.
    pub(super) fn replace(&mut self, number: Number, cell: Arc<dyn Run>) {
        if let Some(place) = self.cells.get_mut(number.place as usize) {
            *place = cell;
        }
    }

    /// Takes an actor that is over out of the table.
    pub(super) fn remove(&mut self, number: Number) {
        let place = number.place as usize;
        if self.get(number.token()).is_some() {
            self.cells.remove(place);
            self.generations[place] = self.generations[place].wrapping_add(1);
        }
    }

    /// The actor of a token, unless it is over.
    pub(super) fn get(&self, token: usize) -> Option<&Arc<dyn Run>> {
        let number = Number::of(token);
        let place = number.place as usize;
        let is_known = self.generations.get(place) == Some(&number.generation);
        is_known.then(|| self.cells.get(place)).flatten()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<dyn Run>> {
        self.cells.iter().map(|(_, cell)| cell)
    }

    /// All but one.
    pub(super) fn others(&self, one: Number) -> impl Iterator<Item = &Arc<dyn Run>> {
        let others = self.cells.iter();
        let others = others.filter(move |(place, _)| *place != one.place as usize);
        others.map(|(_, cell)| cell)
    }
}
