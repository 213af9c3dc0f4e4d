//! Tasks on tokio's loop of one thread, with its channels.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc::channel;

use super::{HELPERS, RandomReads};
use crate::file::ReadFile;
use crate::trial::Threads;

pub(crate) struct Tasks;

/// A loop that runs tasks until the process ends.
fn start() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(HELPERS)
        .build()?;
    let handle = runtime.handle().clone();
    let serve = move || runtime.block_on(std::future::pending::<()>());
    std::thread::Builder::new().spawn(serve)?;
    Ok(handle)
}

impl Threads for Tasks {
    fn pairs(&self, pairs: usize, taken: &'static AtomicU64) -> io::Result<()> {
        let tasks = start()?;
        for _ in 0..pairs {
            let (send, mut receive) = channel(1);
            tasks.spawn(async move { while send.send(()).await.is_ok() {} });
            tasks.spawn(async move {
                while receive.recv().await.is_some() {
                    taken.fetch_add(1, Relaxed);
                }
            });
        }
        Ok(())
    }

    fn readers(
        &self,
        readers: usize,
        file: &'static ReadFile,
        taken: &'static AtomicU64,
    ) -> io::Result<()> {
        let tasks = start()?;
        for number in 0..readers {
            tasks.spawn(async move {
                let mut reads = RandomReads::new(file, number);
                loop {
                    let read = move || {
                        taken.fetch_add(reads.read(), Relaxed);
                        reads
                    };
                    match tokio::task::spawn_blocking(read).await {
                        Ok(back) => reads = back,
                        Err(_) => return,
                    }
                }
            });
        }
        Ok(())
    }

    fn ring(&self, busy: usize, idle: usize, taken: &'static AtomicU64) -> io::Result<()> {
        let tasks = start()?;
        for _ in 0..idle {
            let (send, mut receive) = channel::<()>(1);
            std::mem::forget(send);
            tasks.spawn(async move { receive.recv().await });
        }
        let (mut sends, receives): (Vec<_>, Vec<_>) = (0..busy).map(|_| channel(1)).unzip();
        let first = sends.first().cloned();
        sends.rotate_left(1);
        for (send, mut receive) in sends.into_iter().zip(receives) {
            tasks.spawn(async move {
                while receive.recv().await.is_some() {
                    taken.fetch_add(1, Relaxed);
                    if send.send(()).await.is_err() {
                        return;
                    }
                }
            });
        }
        if let Some(first) = first {
            // There is room for it.
            let _ = first.try_send(());
        }
        Ok(())
    }
}
