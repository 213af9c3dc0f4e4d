//! What is seen of a part while its lines are added up.

use crate::clock::{Nanos, seconds};
use crate::collect::Live;
use contracts::load::{Finding, Part, PartStart, PartState};
use contracts::part::PartAsked;
use contracts::{Unknown, load};

/// What was seen of a part.
#[derive(Default)]
pub(super) struct Seen {
    /// The number of the line that is to come.
    pub(super) next_line: u64,
    /// Lines that did not come.
    pub(super) lost: u64,
    /// Where the part ran.
    pub(super) host: String,
    /// How it began.
    pub(super) start: Option<PartStart>,
    /// What of it is not as it is for the others.
    pub(super) differences: Vec<&'static str>,
    /// Up to when there are figures of it.
    pub(super) reached: Nanos,
    /// Requests answered well …
    pub(super) completed: u64,
    /// … and written.
    pub(super) asked: u64,
    /// What was under way at the end of its last second.
    pub(super) live: Live,
    /// What it said at its end.
    pub(super) ended: Option<Ended>,
}

/// What is kept of how a part ended.
pub(super) struct Ended {
    /// As it is shown.
    pub(super) part: Part,
    /// What it said against itself.
    pub(super) findings: Vec<Finding>,
    /// From its start to the end of its schedule.
    pub(super) window: Nanos,
    /// Whether somebody ended it.
    pub(super) interrupted: bool,
}

impl Seen {
    /// Something of it is not as it is for the others.
    pub(super) fn differs(&mut self, what: &'static str) {
        if !self.differences.contains(&what) {
            self.differences.push(what);
        }
    }

    /// Whether it is asked for what the first part was.
    pub(super) fn is_asked(&mut self, mine: &PartAsked, first: &PartAsked) {
        self.host = mine.host.name.clone();
        // An address may be another one on another host; so may the cores.
        let same = |run: &load::Run| load::Run {
            seed: None,
            version: None,
            title: None,
            address: None,
            addresses: Vec::new(),
            cores: Vec::new(),
            first_target: None,
            targets: None,
            ..run.clone()
        };
        for (differs, what) in [
            (mine.run.seed != first.run.seed, "the seed"),
            (
                mine.build != first.build || mine.run.version != first.run.version,
                "the build",
            ),
            (
                mine.build == first.build && mine.targets_digest != first.targets_digest
                    || mine.run.first_target != first.run.first_target,
                "the target",
            ),
            (same(&mine.run) != same(&first.run), "the load"),
        ] {
            if differs {
                self.differs(what);
            }
        }
    }

    /// As it is shown.
    pub(super) fn shown(&self, share: String) -> Part {
        let mut part = match &self.ended {
            Some(ended) => ended.part.clone(),
            None => Part {
                host: Some(self.host.clone()).filter(|name| !name.is_empty()),
                reached_s: Some(seconds(self.reached)),
                scheduled: Some(self.asked + self.live.waiting),
                completed: Some(self.completed),
                unknown: Unknown::new(),
                ..Part::default()
            },
        };
        part.share = share;
        part.start = self.start.clone();
        part.state = match (&self.ended, &self.start) {
            (Some(_), _) if self.lost == 0 => PartState::Whole,
            (None, None) => PartState::NotBegun,
            _ => PartState::CutShort,
        };
        part
    }
}
