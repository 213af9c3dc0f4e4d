//! What a flow asks of each station on the average, and how many flows a second that allows at most.
//!
//! A station that serves `c` at a time and is asked for `D` by each flow serves no more than `c/D` flows a second; the least of these
//! is the program's capacity (Denning and Buzen, *Computing Surveys* 10, 1978).

use std::collections::BTreeSet;

use flux::syntax::Scope;
use flux_runtime::Mode;

use crate::model::{Model, Step};

/// What flows ask of a station.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// Its name.
    pub station: String,
    /// By each flow, on the average, in nanoseconds.
    pub each_ns: f64,
    /// How many it serves at a time.
    pub servers: f64,
}

impl Demand {
    /// How many flows a second it serves at most; infinite where none asks anything of it.
    pub fn capacity_per_s(&self) -> f64 {
        self.servers / self.each_ns * 1e9
    }
}

impl Model {
    /// What flows ask of each station of which that is known beforehand, with so many sessions. Threads that wait with their flow are
    /// none of them: how long they do comes of the simulation.
    pub fn demands(&self, sessions: u32) -> Vec<Demand> {
        let (visits, held) = self.visits();
        let mut processors = 0.0;
        let mut disk = 0.0;
        let mut main = 0.0;
        let mut sources = vec![0.0; self.crews.len()];
        let mut locks = vec![0.0; self.constraints.len()];
        for (place, step) in self.steps.iter().enumerate() {
            let Step::Run {
                times,
                crew,
                is_at_disk,
                ..
            } = step
            else {
                continue;
            };
            let time = visits[place] * self.times[*times as usize].mean();
            match is_at_disk {
                true => disk += time,
                false => processors += time,
            }
            match *crew == self.main {
                true => main += time,
                false => sources[*crew as usize] += time,
            }
            for (constraint, mode) in &held[place] {
                if *mode == Mode::Writer {
                    locks[*constraint] += time;
                }
            }
        }
        let of = |station: &str, each_ns: f64, servers: f64| Demand {
            station: station.into(),
            each_ns,
            servers,
        };
        let mut demands = vec![of("processors", processors, f64::from(self.processors))];
        if self.has_disk {
            demands.push(of("disk", disk, f64::from(self.disk_width)));
        }
        if self.helpers.is_some() {
            demands.push(of("loop", main, 1.0));
        }
        for ((name, threads), time) in self.crews.iter().zip(sources) {
            if time > 0.0
                && let Some(threads) = threads
            {
                demands.push(of(name, time, f64::from(*threads)));
            }
        }
        for ((name, scope), time) in self.constraints.iter().zip(locks) {
            let servers = match scope {
                Scope::Program => 1.0,
                Scope::Session => f64::from(sessions),
            };
            demands.push(of(&format!("lock {name}"), time, servers));
        }
        demands
    }

    /// How many requests a second it serves at most; infinite where nothing takes any time.
    pub fn capacity_per_s(&self, sessions: u32) -> f64 {
        let demands = self.demands(sessions);
        let most = demands.iter().map(Demand::capacity_per_s);
        most.fold(f64::INFINITY, f64::min) * self.requests
    }

    /// The share of flows that run the node that makes them requests.
    pub(crate) fn share_of_requests(&self) -> f64 {
        let (visits, _) = self.visits();
        let runs = self.steps.iter().zip(visits);
        runs.filter(|(step, _)| {
            matches!(
                step,
                Step::Run {
                    is_request: true,
                    ..
                }
            )
        })
        .map(|(_, visits)| visits)
        .sum()
    }

    /// How often a flow comes to each step on the average, and what it may hold there.
    fn visits(&self) -> (Vec<f64>, Vec<BTreeSet<(usize, Mode)>>) {
        let mut visits = vec![0.0; self.steps.len()];
        let mut held = vec![BTreeSet::new(); self.steps.len()];
        for (begin, flows) in &self.begins {
            visits[*begin as usize] += flows;
        }
        // A step stands behind all that follow it.
        for place in (0..self.steps.len()).rev() {
            let mut holds = held[place].clone();
            match &self.steps[place] {
                Step::Acquire(locks, _) => holds.extend(locks),
                Step::Release(locks, _) => holds.retain(|lock| !locks.contains(lock)),
                _ => {}
            }
            for (likely, next) in self.steps[place].ways() {
                visits[next as usize] += visits[place] * likely;
                held[next as usize].extend(&holds);
            }
        }
        (visits, held)
    }
}
