//! Operations that the kernel is given in a ring and completes later (io_uring(7)), and whatever is the kernel's until it has.
//!
//! What an operation needs (bytes to send, a file, a path, room for what is read) is *owned by the ring* from the moment it is handed
//! in until its last completion has been taken: the kernel reads and writes that memory whenever it likes in between, which no
//! borrow could express. So a caller gives a value away, and has it back with the result. Nothing that it could do meanwhile, not
//! even dropping the ring, lets the kernel write into memory that has another owner:
//!
//! | memory | whose it is | until |
//! | --- | --- | --- |
//! | an [`Operand`], and the tail beside it | the chain's | the last entry of the chain has completed |
//! | a tail sent without copying | the chain's too | the kernel's notification: the client has acknowledged it, or it was copied after all |
//! | buffers that are received into | the ring's | always; a caller sees one until it asks for the next event |
//! | what is in flight when the ring is dropped | the ring's | it is cancelled and waited for; what does not come back is leaked, not freed |

mod buffers;
mod chain;
mod event;
mod operation;
mod settings;
mod support;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use io_uring::types::{CancelBuilder, Fixed, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use rustix::io::Errno;

use buffers::ReceiveBuffers;
use chain::Chains;
pub use event::{Event, TOKENS};
use event::{Kind, mark, read_mark};
pub use operation::{Finished, Operand, Operation, Status, Tail};
pub use settings::Settings;
pub use support::{Unavailable, forbidding_setting};

/// The most operations in a chain.
pub const MOST_LINKED: usize = 3;

/// A descriptor that the kernel keeps open for the ring, and looks up without counting references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered(u32);

impl Registered {
    fn fixed(self) -> Fixed {
        Fixed(self.0)
    }
}

/// How long completions are waited for to come together.
const TOGETHER_AT_MOST: Duration = Duration::from_micros(100);

/// Where completions are taken one by one, and entries handed in by the next wait.
pub struct Ring<O> {
    ring: IoUring,
    is_polled: bool,
    chains: Chains<O>,
    received: ReceiveBuffers,
    /// The buffer that the caller may still be looking at.
    lent: Option<u16>,
    /// The descriptors 0, 1, 2, …, for the kernel to read one of when it is registered.
    numbers: Box<[i32]>,
    /// Entries whose last completion has not been taken.
    in_flight: usize,
}

impl<O: Operand> Ring<O> {
    /// A ring for this thread, which alone may use it.
    ///
    /// # Errors
    /// What keeps it from being had here.
    pub fn new(settings: &Settings) -> Result<Self, Unavailable> {
        let mut builder = IoUring::builder();
        builder
            .setup_single_issuer()
            .setup_cqsize(settings.completions);
        match settings.kernel_thread_idle_ms {
            Some(idle_ms) => builder.setup_sqpoll(idle_ms),
            // Completions are worked out when they are waited for, and never interrupt.
            None => builder.setup_defer_taskrun(),
        };
        let ring = builder.build(settings.entries);
        let ring = ring.map_err(|error| Unavailable::to_set_up(&error))?;
        support::check_operations(&ring)?;
        let kept_out = |what: &'static str| move |error: io::Error| Unavailable::of(what, &error);
        let submitter = ring.submitter();
        submitter
            .register_files_sparse(settings.descriptors)
            .map_err(kept_out("a table of descriptors"))?;
        // Files are of the bounded kind; the other, for sockets, is never needed.
        submitter
            .register_iowq_max_workers(&mut [settings.file_workers, 0])
            .map_err(kept_out("a limit on threads that wait for files"))?;
        let received = ReceiveBuffers::new(
            &ring,
            settings.receive_buffers,
            settings.receive_buffer_bytes,
        )
        .map_err(kept_out("a ring of buffers to receive into"))?;
        Ok(Self {
            is_polled: settings.kernel_thread_idle_ms.is_some(),
            ring,
            chains: Chains::default(),
            received,
            lent: None,
            numbers: (0..settings.descriptors.cast_signed()).collect(),
            in_flight: 0,
        })
    }

    /// Registers a descriptor, which has to stay open until the ring has next waited; `None` where its number is too large.
    pub fn register(&mut self, descriptor: BorrowedFd<'_>) -> Option<Registered> {
        let number = u32::try_from(descriptor.as_raw_fd()).ok()?;
        let place = self.numbers.get(number as usize)?;
        let update = opcode::FilesUpdate::new(std::ptr::from_ref(place), 1)
            .offset(number.cast_signed())
            .build();
        self.ask(update, Kind::Silent, 0);
        Some(Registered(number))
    }

    /// Undoes [`register`](Self::register). A socket is not closed before that, whoever else closes it.
    pub fn unregister(&mut self, registered: Registered) {
        let close = opcode::Close::new(registered.fixed()).build();
        self.ask(close, Kind::Silent, 0);
    }

    /// Asks for connections: for one, or for all that come until it fails. Their calls do not wait, and they are closed on `exec`.
    pub fn accept(&mut self, listener: Registered, is_multishot: bool) {
        let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        let entry = match is_multishot {
            true => opcode::AcceptMulti::new(listener.fixed())
                .flags(flags)
                .build(),
            false => {
                let nowhere = std::ptr::null_mut();
                opcode::Accept::new(listener.fixed(), nowhere, std::ptr::null_mut())
                    .flags(flags)
                    .build()
            }
        };
        self.ask(entry, Kind::Accept, 0);
    }

    /// Asks for whatever comes from a socket, under `token`, until it ends or fails; into buffers that are the socket's only while
    /// they hold something.
    pub fn receive(&mut self, socket: Registered, token: u64) {
        let entry = opcode::RecvMulti::new(socket.fixed(), ReceiveBuffers::GROUP).build();
        self.ask(entry, Kind::Receive, token);
    }

    /// Ends [`receive`](Self::receive): its last event, which may be on its way already, says that it does not go on.
    pub fn cancel_receive(&mut self, token: u64) {
        let of_receive = CancelBuilder::user_data(mark(Kind::Receive, token));
        self.cancel(of_receive);
    }

    /// Ends [`accept`](Self::accept): its last event says that it does not go on.
    pub fn cancel_accept(&mut self) {
        self.cancel(CancelBuilder::user_data(mark(Kind::Accept, 0)));
    }

    /// Ends all that is under way for a socket: each says so as ever.
    pub fn cancel_all(&mut self, socket: Registered) {
        self.cancel(CancelBuilder::fd(socket.fixed()).all());
    }

    fn cancel(&mut self, which: CancelBuilder) {
        let entry = opcode::AsyncCancel2::new(which).build();
        self.ask(entry, Kind::Silent, 0);
    }

    /// Asks to be told when a listening socket is shut.
    pub fn watch_for_hang_up(&mut self, listener: Registered) {
        let entry = opcode::PollAdd::new(listener.fixed(), libc::POLLHUP as u32).build();
        self.ask(entry, Kind::HangUp, 0);
    }

    /// Hands in operations that follow each other, each only if the one before has done all that it was to do; `operand`, and the
    /// `tail` where one is sent or read into, are the chain's until it [finishes](Event::Finished).
    ///
    /// # Errors
    /// The operand, where a path is none: it has a byte of zero in it.
    ///
    /// # Panics
    /// Without an operation, or with more than [`MOST_LINKED`].
    pub fn start(
        &mut self,
        operations: &[Operation],
        operand: O,
        tail: Option<Tail>,
    ) -> Result<(), O> {
        assert!((1..=MOST_LINKED).contains(&operations.len()));
        let (entries, length) = self.chains.begin(operations, operand, tail)?;
        self.push(&entries[..length]);
        Ok(())
    }

    /// A buffer for [`Operation::Read`], of `length` bytes; one that was used before, if that is no more than [`Tail::BYTES`].
    pub fn tail(&mut self, length: usize) -> Tail {
        self.chains.spare_tail(length)
    }

    /// Gives a tail back that was had from [`tail`](Self::tail), to be used again when nobody else has it.
    pub fn recycle(&mut self, tail: Tail) {
        self.chains.recycle(tail.into_bytes());
    }

    /// How many tails are kept back, because the kernel has not said yet that it needs them no more.
    pub fn unnotified(&self) -> usize {
        self.chains.unnotified()
    }

    fn ask(&mut self, entry: squeue::Entry, kind: Kind, value: u64) {
        self.push(&[entry.user_data(mark(kind, value))]);
    }

    /// The last entries of a chain have to be handed in with the first.
    fn push(&mut self, entries: &[squeue::Entry]) {
        self.in_flight += entries.len();
        loop {
            // SAFETY: what the entries point to is a chain's, `numbers` or the buffers', all of which stay where they are until
            // the ring has been told that the entry is complete (see the table above).
            let pushed = unsafe { self.ring.submission().push_multiple(entries) };
            if pushed.is_ok() {
                return;
            }
            // The queue is full; an error is met again when the ring waits.
            let _ = self.ring.submit();
            if self.is_polled {
                let _ = self.ring.submitter().squeue_wait();
            }
        }
    }

    /// Hands in what is to be handed in, and waits until something has happened, at most so long: one system call.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn wait(&mut self, at_most: Option<Duration>) -> io::Result<()> {
        self.wait_for(1, at_most)
    }

    /// The same until `together` completions are there, or after a tenth of a millisecond one is: for what others complete one by one,
    /// each of which would end the wait. Before Linux 6.12 it waits for one.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn wait_for(&mut self, together: usize, at_most: Option<Duration>) -> io::Result<()> {
        self.give_back_lent();
        let may_wait = at_most.is_none_or(|at_most| at_most > TOGETHER_AT_MOST);
        let waits = together > 1 && may_wait && self.ring.params().is_feature_min_timeout();
        let waited = match at_most {
            None if !waits => self.ring.submit_and_wait(1),
            _ => {
                let time = Timespec::from(at_most.unwrap_or(Duration::from_secs(3600)));
                let mut arguments = SubmitArgs::new().timespec(&time);
                if waits {
                    let at_most_us = TOGETHER_AT_MOST.as_micros() as u32;
                    arguments = arguments.min_wait_usec(at_most_us);
                }
                let count = if waits { together } else { 1 };
                self.ring.submitter().submit_with_args(count, &arguments)
            }
        };
        match waited.map_err(|error| Errno::from_io_error(&error)) {
            // Full queues are emptied by whoever takes what is in them.
            Ok(_) | Err(Some(Errno::TIME | Errno::INTR | Errno::BUSY | Errno::AGAIN)) => Ok(()),
            Err(error) => Err(error.unwrap_or(Errno::IO).into()),
        }
    }

    /// The next thing that has happened, if anything has.
    pub fn next_event(&mut self) -> Option<Event<'_, O>> {
        self.give_back_lent();
        loop {
            let completion = self.ring.completion().next()?;
            let (kind, value) = read_mark(completion.user_data());
            let flags = completion.flags();
            let goes_on = cqueue::more(flags);
            self.in_flight -= usize::from(!goes_on);
            let result = match completion.result() {
                error @ ..0 => Err(Errno::from_raw_os_error(-error)),
                count => Ok(count.cast_unsigned()),
            };
            match kind {
                Kind::Silent => {}
                Kind::HangUp => return Some(Event::HungUp),
                Kind::Accept => {
                    // SAFETY: the kernel has made this descriptor for whoever takes the completion, which is taken once.
                    let own = |number: u32| unsafe { OwnedFd::from_raw_fd(number.cast_signed()) };
                    let socket = result.map(own);
                    return Some(Event::Accepted { socket, goes_on });
                }
                Kind::Receive => {
                    self.lent = cqueue::buffer_select(flags);
                    let bytes = result.map(|count| match self.lent {
                        Some(buffer) => self.received.filled(buffer, count as usize),
                        None => &[],
                    });
                    return Some(Event::Received {
                        token: value,
                        bytes,
                        goes_on,
                    });
                }
                Kind::Chain => {
                    let is_notification = cqueue::notif(flags);
                    let finished = self
                        .chains
                        .complete(value, result, goes_on, is_notification);
                    if let Some(finished) = finished {
                        return Some(Event::Finished(finished));
                    }
                }
            }
        }
    }

    fn give_back_lent(&mut self) {
        if let Some(buffer) = self.lent.take() {
            self.received.give_back(buffer);
        }
    }
}

impl<O> Ring<O> {
    /// How long the end of a ring may take.
    const PATIENCE: Duration = Duration::from_millis(500);

    /// Whether nothing is the kernel's any more.
    fn cancel_and_wait(&mut self) -> bool {
        let deadline = Instant::now() + Self::PATIENCE;
        let all = opcode::AsyncCancel2::new(CancelBuilder::any()).build();
        // SAFETY: it points to nothing.
        let pushed = unsafe {
            self.ring
                .submission()
                .push(&all.user_data(mark(Kind::Silent, 0)))
        };
        self.in_flight += usize::from(pushed.is_ok());
        while self.in_flight > 0 && Instant::now() < deadline {
            let time = Timespec::from(Duration::from_millis(10));
            let arguments = SubmitArgs::new().timespec(&time);
            let _ = self.ring.submitter().submit_with_args(1, &arguments);
            while let Some(completion) = self.ring.completion().next() {
                self.in_flight -= usize::from(!cqueue::more(completion.flags()));
                if read_mark(completion.user_data()).0 == Kind::Accept && completion.result() >= 0 {
                    // SAFETY: as above; it is closed here.
                    drop(unsafe { OwnedFd::from_raw_fd(completion.result()) });
                }
            }
        }
        self.in_flight == 0
    }
}

impl<O> Drop for Ring<O> {
    fn drop(&mut self) {
        if self.cancel_and_wait() {
            self.chains.free();
        } else {
            // The kernel may still read or write there.
            self.received.leak();
            std::mem::forget(std::mem::take(&mut self.numbers));
        }
    }
}

impl<O> AsFd for Ring<O> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open for as long as the ring is there.
        unsafe { BorrowedFd::borrow_raw(self.ring.as_raw_fd()) }
    }
}

impl<O> std::fmt::Debug for Ring<O> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut ring = formatter.debug_struct("Ring");
        ring.field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

/// Shared bytes, so that a tail that the kernel has not let go of can be sent on from.
type Shared = Arc<[u8]>;

#[cfg(test)]
mod tests;
