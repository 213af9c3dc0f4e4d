//! Jobs for a pool of threads whose own queue nobody can look at: those that are done look for the next before they return to it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Spin;

/// A queue of jobs in front of a pool, from which its threads take them: first in, first out.
///
/// There is at least one thread for each job at any time, which was asked for it or looks. So one that looks takes whatever is first, and
/// one that was asked may find that nothing is left.
#[derive(Debug)]
pub struct HandOver<J> {
    queue: Mutex<Queue<J>>,
    /// How long a thread looks before it returns to its pool, and what it looks at: whether there is a job.
    spin: Spin,
    has_news: AtomicBool,
}

#[derive(Debug)]
struct Queue<J> {
    jobs: VecDeque<J>,
    /// Threads that look.
    looking: usize,
}

impl<J> HandOver<J> {
    /// Without a job.
    pub fn new(spin: Spin) -> Self {
        Self {
            queue: Mutex::new(Queue {
                jobs: VecDeque::new(),
                looking: 0,
            }),
            spin,
            has_news: AtomicBool::new(false),
        }
    }

    /// Puts a job in the queue. Returns whether the pool is to be asked for a thread that [works](Self::work): none that looks will come
    /// to this job.
    #[must_use]
    pub fn push(&self, job: J) -> bool {
        let mut queue = self.queue();
        let is_looked_for = queue.jobs.len() < queue.looking;
        queue.jobs.push_back(job);
        self.has_news.store(true, Relaxed);
        !is_looked_for
    }

    /// Does a job, if one is left, and each that comes while this looks for another.
    pub fn work(&self, mut run: impl FnMut(J)) {
        let mut next = self.take(&mut self.queue());
        while let Some(job) = next {
            run(job);
            next = self.look();
        }
    }

    fn look(&self) -> Option<J> {
        if self.spin.is_off() {
            return None;
        }
        self.queue().looking += 1;
        self.spin.until(|| self.has_news.load(Relaxed));
        let mut queue = self.queue();
        queue.looking -= 1;
        self.take(&mut queue)
    }

    fn take(&self, queue: &mut Queue<J>) -> Option<J> {
        let job = queue.jobs.pop_front();
        self.has_news.store(!queue.jobs.is_empty(), Relaxed);
        job
    }

    fn queue(&self) -> MutexGuard<'_, Queue<J>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    fn looking_for(time: Duration) -> HandOver<u32> {
        HandOver::new(Spin { time })
    }

    #[test]
    fn without_looking_each_job_takes_a_thread() {
        let jobs = looking_for(Duration::ZERO);
        for job in 0..2 {
            assert!(jobs.push(job));
        }
        for job in 0..2 {
            jobs.work(|done| assert_eq!(done, job));
        }
        jobs.work(|_| panic!("there is none"));
    }

    /// It looks for an hour, so that it is there whenever the test comes to it; a defect ends it.
    #[test]
    fn a_thread_that_looks_need_not_be_asked_for() {
        const LAST: u32 = 10;
        let jobs = looking_for(Duration::from_secs(3600));
        let (done, is_done) = mpsc::channel();
        assert!(jobs.push(0));
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                jobs.work(|job| {
                    done.send(job).unwrap();
                    assert_ne!(job, LAST, "the end of this test");
                });
            });
            for job in 0..LAST {
                assert_eq!(is_done.recv().unwrap(), job);
                while jobs.queue().looking == 0 {
                    std::thread::yield_now();
                }
                assert!(!jobs.push(job + 1));
            }
            assert!(worker.join().is_err());
        });
        assert_eq!(is_done.recv().unwrap(), LAST);
    }

    #[test]
    fn a_job_that_nobody_will_come_to_takes_a_thread() {
        let jobs = looking_for(Duration::from_millis(1));
        jobs.queue().looking = 1;
        assert!(!jobs.push(0));
        assert!(jobs.push(1));
        jobs.queue().looking = 0;
        let mut done = Vec::new();
        jobs.work(|job| done.push(job));
        assert_eq!(done, [0, 1]);
        // The thread that was asked finds that the other has done its job.
        jobs.work(|_| panic!("there is none"));
    }
}
