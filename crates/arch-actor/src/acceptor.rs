//! The acceptor: lets connections in, and gives each to the supervisor, which starts an actor for it.

use std::io;
use std::sync::Arc;

use arch::{Client, ProcessContext};
use std::time::Duration;

use crate::cell::{Actor, Cell, Context, Received, Then};
use crate::supervisor::{Supervisor, ToSupervisor};

/// The actor that owns the way in.
pub(crate) struct Acceptor {
    way_in: arch::Acceptor,
    supervisor: Arc<Cell<Supervisor>>,
    /// Let in, while the supervisor has no place for it: nobody else is let in meanwhile.
    held: Option<Client>,
}

impl Acceptor {
    pub(crate) fn new(
        process: &ProcessContext,
        supervisor: Arc<Cell<Supervisor>>,
    ) -> io::Result<Self> {
        let mut way_in = arch::Acceptor::new(Arc::clone(&process.listener))?;
        // Somebody may have come before anybody watched.
        way_in.notify();
        Ok(Self {
            way_in,
            supervisor,
            held: None,
        })
    }
}

/// Nobody tells the acceptor anything.
pub(crate) enum Nothing {}

impl Actor for Acceptor {
    type Message = Nothing;

    fn receive(&mut self, received: Received<Nothing>, context: &mut Context<'_, Self>) -> Then {
        let Received::Signals(signals) = received;
        if signals.readiness.readable {
            self.way_in.notify();
        }
        let counters = &context.worker.counters;
        while let Some(client) = self.held.take().or_else(|| self.way_in.admit(counters)) {
            let own = Arc::clone(context.own);
            if let Err(ToSupervisor::Connected(client)) =
                self.supervisor.send(ToSupervisor::Connected(client), own)
            {
                self.held = Some(client);
                return Then::Waits(None);
            }
        }
        match self.way_in.poll_timeout() {
            Some(Duration::ZERO) => Then::Yields,
            _ if context.worker.is_stopping() => Then::Ends,
            pause => Then::Waits(pause.map(|pause| context.worker.now + pause)),
        }
    }
}
