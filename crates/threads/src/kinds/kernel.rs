//! The kernel's threads, with the standard library's channels.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;

use super::RandomReads;
use crate::file::ReadFile;
use crate::trial::{MAKING, Threads};

pub(crate) struct Kernel;

/// The least that a thread may have.
const STACK_BYTES: usize = 16 << 10;

/// That there is room for so many: beyond it the process would be ended by one of them.
fn fit(threads: usize) -> io::Result<()> {
    arch::fit(u32::try_from(threads).unwrap_or(u32::MAX), "--threads")
}

fn start(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
    builder.spawn(work).map(drop)
}

impl Threads for Kernel {
    fn pairs(&self, pairs: usize, taken: &'static AtomicU64) -> io::Result<()> {
        fit(2 * pairs)?;
        for _ in 0..pairs {
            let (send, receive) = sync_channel(1);
            start(move || while send.send(()).is_ok() {})?;
            start(move || {
                while receive.recv().is_ok() {
                    taken.fetch_add(1, Relaxed);
                }
            })?;
        }
        Ok(())
    }

    fn readers(
        &self,
        readers: usize,
        file: &'static ReadFile,
        taken: &'static AtomicU64,
    ) -> io::Result<()> {
        fit(readers)?;
        // Those who have begun would keep others from being made.
        for number in 0..readers {
            start(move || {
                drop(MAKING.read());
                let mut reads = RandomReads::new(file, number);
                loop {
                    taken.fetch_add(reads.read(), Relaxed);
                }
            })?;
        }
        Ok(())
    }

    fn ring(&self, busy: usize, idle: usize, taken: &'static AtomicU64) -> io::Result<()> {
        fit(busy + idle)?;
        for _ in 0..idle {
            let (send, receive) = sync_channel::<()>(1);
            std::mem::forget(send);
            start(move || {
                let _ = receive.recv();
            })?;
        }
        let (mut sends, receives): (Vec<_>, Vec<_>) = (0..busy).map(|_| sync_channel(1)).unzip();
        let first = sends.first().cloned();
        // Each has what the next one receives from.
        sends.rotate_left(1);
        for (send, receive) in sends.into_iter().zip(receives) {
            start(move || {
                while receive.recv().is_ok() {
                    taken.fetch_add(1, Relaxed);
                    if send.send(()).is_err() {
                        return;
                    }
                }
            })?;
        }
        if let Some(first) = first {
            // There is room for it.
            let _ = first.send(());
        }
        Ok(())
    }
}
