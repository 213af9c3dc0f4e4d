//! A stage: a bounded queue of events, a pool of threads that take them in batches, and what is known of it all (SEDA,
//! section 4.1).
//!
//! A queue refuses what it has no place for, and says so to whoever enqueues: what becomes of the event is decided there,
//! not here. Handing over costs one lock and at most one wake-up for each batch, and allocates nothing: a queue has all its
//! places from the start.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arch::Spin;

use crate::controllers::{self, Batching, Limits};

/// A stage that takes events of one type.
pub(crate) struct Stage<In> {
    name: &'static str,
    queue: Mutex<Queue<In>>,
    /// Threads wait here for events, and upstream stages for places.
    work: Condvar,
    place: Condvar,
    places: usize,
    threads: Limits,
    /// How long a thread that is not needed waits for work before it ends.
    retire_after: Duration,
    /// How long a thread looks at the empty queue before it sleeps, and what it looks at: whether there is an event, or the end.
    spin: Spin,
    has_news: AtomicBool,
    /// How many events a thread takes at a time.
    batch: AtomicUsize,
    batching: Mutex<Batching>,
    counters: meter::StageCounters,
    start_handler: Box<dyn Fn() -> Box<dyn Handler<In>> + Send + Sync>,
}

/// What the threads of a stage do.
pub(crate) trait Handler<In> {
    /// A batch begins.
    fn begin(&mut self);
    /// Handles one event.
    fn handle(&mut self, event: In);
    /// Hands over what came of a batch, all at once.
    fn hand_over(&mut self);
}

struct Queue<In> {
    events: VecDeque<In>,
    threads: usize,
    /// Threads that wait for events, and how many of them are about to wake up.
    idle: usize,
    waking: usize,
    /// Upstream threads that wait for places.
    crowd: usize,
    closed: bool,
}

/// What a stage is made with.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) places: usize,
    pub(crate) threads: Limits,
    pub(crate) retire_after: Duration,
    pub(crate) spin: Spin,
    pub(crate) batch: Limits,
    pub(crate) counters: meter::StageCounters,
}

impl<In: Send + 'static> Stage<In> {
    /// A stage with its first threads, each of which makes itself a handler.
    pub(crate) fn start<H: Handler<In> + 'static>(
        plan: Plan,
        start_handler: impl Fn() -> H + Send + Sync + 'static,
    ) -> std::io::Result<Arc<Self>> {
        let batching = Batching::new(plan.batch);
        plan.counters.batch(batching.limit());
        let stage = Arc::new(Self {
            name: plan.name,
            queue: Mutex::new(Queue {
                events: VecDeque::with_capacity(plan.places),
                threads: 0,
                idle: 0,
                waking: 0,
                crowd: 0,
                closed: false,
            }),
            work: Condvar::new(),
            place: Condvar::new(),
            places: plan.places,
            threads: plan.threads,
            retire_after: plan.retire_after,
            spin: plan.spin,
            has_news: AtomicBool::new(false),
            batch: AtomicUsize::new(batching.limit()),
            batching: Mutex::new(batching),
            counters: plan.counters,
            start_handler: Box::new(move || Box::new(start_handler())),
        });
        for _ in 0..plan.threads.least {
            stage.grow().inspect_err(|_| stage.close())?;
        }
        Ok(stage)
    }

    /// Adds a thread.
    fn grow(self: &Arc<Self>) -> std::io::Result<()> {
        let stage = Arc::clone(self);
        // Counted before it may leave.
        let mut queue = self.queue();
        std::thread::Builder::new()
            .name(self.name.into())
            .spawn(move || stage.work())?;
        queue.threads += 1;
        self.counters.threads(queue.threads);
        Ok(())
    }

    /// A thread's life.
    fn work(&self) {
        let mut handler = (self.start_handler)();
        let mut batch = Vec::with_capacity(self.batch.load(Relaxed));
        while self.take(&mut batch) {
            let (events, started) = (batch.len(), Instant::now());
            handler.begin();
            for event in batch.drain(..) {
                handler.handle(event);
            }
            handler.hand_over();
            self.counters.handled(events, started.elapsed());
        }
    }

    /// Waits for events, and moves as many to `batch` as a thread may take at a time; `false`: this thread has to end.
    fn take(&self, batch: &mut Vec<In>) -> bool {
        let mut queue = self.queue();
        let mut looks = true;
        while queue.events.is_empty() {
            if queue.closed {
                return self.leave(&mut queue);
            }
            if std::mem::take(&mut looks) {
                // It is not idle meanwhile: nobody wakes it. Who shares its processor has a turn before it sleeps, and may have something
                // for it by then: with a few connections that is so more often than not.
                drop(queue);
                if !self.spin.until(|| self.has_news.load(Relaxed)) {
                    std::thread::yield_now();
                }
                queue = self.queue();
                continue;
            }
            queue.idle += 1;
            let (woken, waited) = self
                .work
                .wait_timeout(queue, self.retire_after)
                .unwrap_or_else(PoisonError::into_inner);
            queue = woken;
            queue.idle -= 1;
            queue.waking = queue.waking.saturating_sub(1);
            let idle = waited.timed_out() && queue.events.is_empty();
            if idle && controllers::is_to_retire(queue.threads, self.threads) {
                return self.leave(&mut queue);
            }
        }
        let count = queue.events.len().min(self.batch.load(Relaxed));
        batch.extend(queue.events.drain(..count));
        self.note(&queue);
        let (more, crowd) = (self.is_to_wake(&mut queue), queue.crowd > 0);
        drop(queue);
        if more {
            self.work.notify_one();
        }
        if crowd {
            self.place.notify_all();
        }
        true
    }

    fn leave(&self, queue: &mut Queue<In>) -> bool {
        queue.threads -= 1;
        self.counters.threads(queue.threads);
        false
    }

    /// Moves events from the front of `events` into the queue for as long as there are places. What is left has been
    /// rejected.
    pub(crate) fn enqueue(&self, events: &mut Vec<In>) {
        self.put(self.queue(), events);
    }

    /// Moves all of `events` into the queue, waiting for places if need be.
    pub(crate) fn enqueue_all(&self, events: &mut Vec<In>) {
        loop {
            self.put(self.queue(), events);
            if events.is_empty() {
                return;
            }
            let mut queue = self.queue();
            queue.crowd += 1;
            while queue.events.len() >= self.places && !queue.closed {
                queue = self
                    .place
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            queue.crowd -= 1;
            if queue.closed {
                return events.clear();
            }
        }
    }

    fn put(&self, mut queue: MutexGuard<'_, Queue<In>>, events: &mut Vec<In>) {
        let count = events.len().min(self.places - queue.events.len());
        queue.events.extend(events.drain(..count));
        self.note(&queue);
        let wake = self.is_to_wake(&mut queue);
        drop(queue);
        if wake {
            self.work.notify_one();
        }
    }

    /// Tells those who look without the lock.
    fn note(&self, queue: &Queue<In>) {
        self.counters.queue(queue.events.len());
        let has_news = !queue.events.is_empty() || queue.closed;
        self.has_news.store(has_news, Relaxed);
    }

    /// Whether somebody has to be woken for what is in the queue. One thread at a time: it wakes the next if it leaves
    /// something in the queue.
    fn is_to_wake(&self, queue: &mut Queue<In>) -> bool {
        let wake = !queue.events.is_empty() && queue.idle > queue.waking && queue.waking == 0;
        queue.waking += usize::from(wake);
        wake
    }

    /// Places that are free. Whoever alone enqueues here will find no fewer.
    pub(crate) fn room(&self) -> usize {
        self.places - self.queue().events.len()
    }

    fn queue(&self) -> MutexGuard<'_, Queue<In>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stage whatever it takes, as the controllers see it.
pub(crate) trait Controlled: Send + Sync {
    /// Looks at the stage, and changes its pool and its batches. `interval` has passed since the last time.
    fn control(self: Arc<Self>, interval: Duration);
    /// Its threads end as soon as its queue is empty.
    fn close(&self);
}

impl<In: Send + 'static> Controlled for Stage<In> {
    fn control(self: Arc<Self>, interval: Duration) {
        let (waiting, threads) = {
            let queue = self.queue();
            (queue.events.len(), queue.threads)
        };
        let batch = self.batch.load(Relaxed);
        if controllers::is_to_grow(waiting, batch, threads, self.threads) {
            // Without memory for another thread, those that there are go on.
            let _ = self.grow();
        }
        let mut batching = self.batching.lock().unwrap_or_else(PoisonError::into_inner);
        batching.observe(self.counters.events(), interval);
        self.batch.store(batching.limit(), Relaxed);
        self.counters.batch(batching.limit());
    }

    fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        self.note(&queue);
        drop(queue);
        self.work.notify_all();
        self.place.notify_all();
    }
}

/// The way to a stage, with what is to be handed over next.
pub(crate) struct Sink<In> {
    stage: Arc<Stage<In>>,
    events: Vec<In>,
    /// Places that were free when last looked at; by now there may be more.
    room: usize,
}

impl<In: Send + 'static> Sink<In> {
    pub(crate) fn to(stage: &Arc<Stage<In>>) -> Self {
        Self {
            stage: Arc::clone(stage),
            events: Vec::with_capacity(stage.places),
            room: 0,
        }
    }

    pub(crate) fn push(&mut self, event: In) {
        self.events.push(event);
    }

    /// Hands over what there are places for; the rest stays.
    pub(crate) fn hand_over(&mut self) {
        if !self.events.is_empty() {
            let before = self.events.len();
            self.stage.enqueue(&mut self.events);
            self.room = self.room.saturating_sub(before - self.events.len());
        }
    }

    /// Hands over all, and waits for places.
    pub(crate) fn hand_over_all(&mut self) {
        if !self.events.is_empty() {
            self.stage.enqueue_all(&mut self.events);
        }
    }

    /// So many were kept from going there.
    pub(crate) fn count_rejected(&self, events: usize) {
        self.stage.counters.rejected(events);
    }

    /// Takes back one that was rejected.
    pub(crate) fn rejected(&mut self) -> Option<In> {
        let event = self.events.pop()?;
        self.count_rejected(1);
        Some(event)
    }

    /// Whether another event would find a place, for whoever alone enqueues there.
    pub(crate) fn has_room(&mut self) -> bool {
        if self.events.len() >= self.room {
            self.room = self.stage.room();
        }
        self.events.len() < self.room
    }
}

#[cfg(test)]
mod tests;
