//! Flows arrive, are served, and leave.
//!
//! A flow goes on for as long as nothing keeps it: it takes its ways and its constraints at once, and stops where a node has to run,
//! where a constraint is another's, or where it needs a thread of another crew. Who is woken meanwhile goes on behind it, in order.

mod arrivals;

use std::collections::VecDeque;

use flux_runtime::Mode;

use crate::calendar::{Calendar, Event};
use crate::crew::Crew;
use crate::flows::{Flows, Gauge, NONE, Queue};
use crate::locks::Locks;
use crate::model::{Model, Step};
use crate::outcome::{Outcome, Recorder, Station};
use crate::processors::Processors;
use crate::run::{Load, Run};
use arrivals::{Chance, pick};

/// A machine, and the flows on it.
pub(crate) struct Machine<'a> {
    model: &'a Model,
    load: Load,
    now: f64,
    calendar: Calendar,
    flows: Flows,
    /// Flows that can go on.
    ready: VecDeque<u32>,
    /// Flows that have just been granted a constraint.
    granted: Vec<u32>,
    processors: Processors,
    crews: Vec<Crew>,
    locks: Locks,
    sessions: u32,
    disk: Queue,
    disk_busy: Gauge,
    chance: Chance,
    /// In nanoseconds.
    delay: f64,
    arrived: u64,
    recorder: Recorder,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(model: &'a Model, load: Load, run: Run) -> Self {
        let sessions = model.sessions_of(load);
        Self {
            model,
            load,
            now: 0.0,
            calendar: Calendar::default(),
            flows: Flows::default(),
            ready: VecDeque::new(),
            granted: Vec::new(),
            processors: Processors::new(model.processors, model.slice),
            crews: model
                .crews
                .iter()
                .map(|(name, threads)| Crew::new(name.clone(), *threads))
                .collect(),
            locks: Locks::new(model.constraints.iter().map(|(_, scope)| *scope), sessions),
            sessions,
            disk: Queue::EMPTY,
            disk_busy: Gauge::default(),
            chance: Chance::new(run.seed),
            delay: run.delay.as_nanos() as f64,
            arrived: 0,
            recorder: Recorder::new(run.warm_up, run.flows),
        }
    }

    /// Simulates until all has been seen that was asked for.
    pub(crate) fn run(mut self) -> Outcome {
        self.begin();
        while self.recorder.is_open() && self.turn() {}
        self.outcome()
    }

    fn begin(&mut self) {
        match self.load {
            Load::Closed(clients, _) => {
                for client in 0..clients {
                    self.think(client);
                }
            }
            Load::Poisson(_) | Load::Constant(_) => self.next_arrival(),
        }
    }

    /// What happens next. Whether anything does.
    fn turn(&mut self) -> bool {
        let sharing = self.processors.next_time();
        let entered = self.calendar.next_time();
        if let Some(time) = sharing.filter(|time| entered.is_none_or(|entered| *time < entered)) {
            self.now = time;
            if let Some(flow) = self.processors.next(time) {
                self.node_over(flow);
            }
        } else if let Some((time, event)) = self.calendar.pop() {
            self.now = time;
            match event {
                Event::Arrival => self.arrival(),
                Event::Client(client) => self.arrive(client % self.sessions, client),
                Event::Processor(place) => {
                    let (flows, calendar) = (&mut self.flows, &mut self.calendar);
                    if let Some(flow) = self.processors.turn_over(place, time, flows, calendar) {
                        self.node_over(flow);
                        let (flows, calendar) = (&mut self.flows, &mut self.calendar);
                        self.processors.give_up(time, flows, calendar);
                    }
                }
                Event::Disk(flow) => self.disk_over(flow),
            }
        } else {
            return false;
        }
        while let Some(flow) = self.ready.pop_front() {
            self.go_on(flow);
        }
        self.recorder.count_event();
        true
    }

    /// A flow goes on for as long as nothing keeps it, and behind it whoever its thread turns to.
    fn go_on(&mut self, flow: u32) {
        let mut next = Some(flow);
        while let Some(flow) = next {
            next = self.advance(flow);
        }
    }

    /// A flow goes on for as long as nothing keeps it. Who has its thread then, if it has given it up to another.
    fn advance(&mut self, flow: u32) -> Option<u32> {
        let model = self.model;
        loop {
            let at = self.flows.get(flow).at;
            let step = &model.steps[at as usize];
            if let Some(wanted) = self.other_crew(flow, step) {
                let next = self.leave(flow);
                self.enter(wanted, flow);
                return next;
            }
            match step {
                Step::Run {
                    times,
                    is_at_disk,
                    is_request,
                    ..
                } => {
                    let time = model.times[*times as usize].draw(&mut self.chance.times);
                    let of = self.flows.at(flow);
                    of.left = time;
                    of.is_request |= *is_request;
                    if *is_at_disk {
                        self.ask_disk(flow);
                    } else {
                        let (flows, calendar) = (&mut self.flows, &mut self.calendar);
                        self.processors.start(flow, self.now, flows, calendar);
                    }
                    return None;
                }
                Step::Fork(ways) => {
                    let share = self.chance.way();
                    self.flows.at(flow).at = pick(ways.iter().copied(), share);
                }
                Step::Acquire(locks, next) => {
                    let taken = self.flows.get(flow).taken as usize;
                    match locks.get(taken) {
                        None => {
                            let flow = self.flows.at(flow);
                            (flow.taken, flow.at) = (0, *next);
                        }
                        Some(lock)
                            if self.locks.acquire(*lock, flow, self.now, &mut self.flows) =>
                        {
                            self.flows.at(flow).taken += 1;
                        }
                        // A loop turns to others; a thread waits.
                        Some(_) if model.helpers.is_some() => return self.leave(flow),
                        Some(_) => return None,
                    }
                }
                Step::Release(locks, next) => {
                    self.release(flow, locks);
                    self.flows.at(flow).at = *next;
                }
                Step::End => {
                    let next = self.leave(flow);
                    self.end(flow);
                    return next;
                }
            }
        }
    }

    /// The crew that a step needs a thread of, if the flow has none of it.
    fn other_crew(&self, flow: u32, step: &Step) -> Option<u32> {
        let model = self.model;
        let flow = self.flows.get(flow);
        let wanted = match step {
            // A helper runs one node, and gives notice to the loop.
            Step::Run { .. } if flow.has_run && Some(flow.crew) == model.helpers => model.main,
            Step::Run { crew, .. } => *crew,
            Step::Fork(_) | Step::Acquire(..) => model.main,
            Step::Release(..) | Step::End => return None,
        };
        (flow.crew != wanted).then_some(wanted)
    }

    fn enter(&mut self, crew: u32, flow: u32) {
        if self.crews[crew as usize].enter(crew, flow, self.now, &mut self.flows) {
            self.ready.push_back(flow);
        }
    }

    fn leave(&mut self, flow: u32) -> Option<u32> {
        let crew = self.flows.get(flow).crew;
        let of = self.crews.get_mut(crew as usize)?;
        of.leave(crew, flow, self.now, &mut self.flows)
    }

    fn release(&mut self, flow: u32, locks: &[(usize, Mode)]) {
        let session = self.flows.get(flow).session;
        for lock in locks {
            self.locks
                .release(*lock, session, self.now, &self.flows, &mut self.granted);
        }
        for place in 0..self.granted.len() {
            let granted = self.granted[place];
            self.flows.at(granted).taken += 1;
            if self.flows.get(granted).crew == NONE {
                self.enter(self.model.main, granted);
            } else {
                self.ready.push_back(granted);
            }
        }
        self.granted.clear();
    }

    /// A node has run to its end, in a thread that goes on.
    fn node_over(&mut self, flow: u32) {
        if let Step::Run { next, error, .. } = &self.model.steps[self.flows.get(flow).at as usize] {
            let next = match error {
                Some((fails, handler)) => {
                    if self.chance.way() < *fails {
                        *handler
                    } else {
                        *next
                    }
                }
                None => *next,
            };
            let flow = self.flows.at(flow);
            (flow.at, flow.has_run) = (next, true);
        }
        self.go_on(flow);
    }

    fn ask_disk(&mut self, flow: u32) {
        let busy = self.disk_busy.count();
        if busy < self.model.disk_width {
            self.disk_busy.set(busy + 1, self.now);
            let time = self.flows.get(flow).left;
            self.calendar.enter(self.now + time, Event::Disk(flow));
        } else {
            self.disk.push(&mut self.flows, flow);
        }
    }

    fn disk_over(&mut self, flow: u32) {
        match self.disk.pop(&self.flows) {
            Some(next) => {
                let time = self.flows.get(next).left;
                self.calendar.enter(self.now + time, Event::Disk(next));
            }
            None => self.disk_busy.set(self.disk_busy.count() - 1, self.now),
        }
        self.node_over(flow);
    }

    fn end(&mut self, flow: u32) {
        let over = self.flows.get(flow);
        let (begun, client) = (over.begun, over.client);
        let counts = over.is_request || self.model.requests == 1.0;
        self.flows.end(flow);
        if counts && self.recorder.record(self.now - begun + self.delay) {
            self.restart();
        }
        if client != NONE {
            self.think(client);
        }
    }

    /// From now on it counts.
    fn restart(&mut self) {
        let now = self.now;
        self.recorder.restart(now);
        self.processors.busy().restart(now);
        self.disk_busy.restart(now);
        self.locks.restart(now);
        for crew in &mut self.crews {
            crew.busy.restart(now);
        }
    }

    fn outcome(mut self) -> Outcome {
        let now = self.now;
        let lasted = now - self.recorder.since();
        let share = |gauge: &Gauge, servers: u32| gauge.mean(now, lasted) / f64::from(servers);
        let station = |name: &str, utilisation| Station {
            name: name.into(),
            utilisation,
        };
        let mut stations = vec![station(
            "processors",
            share(self.processors.busy(), self.model.processors),
        )];
        if self.model.has_disk {
            stations.push(station(
                "disk",
                share(&self.disk_busy, self.model.disk_width),
            ));
        }
        let names = self.model.constraints.iter();
        for ((name, _), held) in names.zip(self.locks.held(now, lasted)) {
            stations.push(station(&format!("lock {name}"), held));
        }
        for (number, crew) in self.crews.iter().enumerate() {
            if let Some(threads) = crew.threads.filter(|_| self.model.is_used(number as u32)) {
                stations.push(station(&crew.name, share(&crew.busy, threads)));
            }
        }
        let under_way = self.flows.under_way() as u64;
        self.recorder
            .outcome(self.load, stations, lasted, (self.arrived, under_way))
    }
}
