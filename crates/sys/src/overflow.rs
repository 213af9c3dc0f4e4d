//! What is said when a stack of an [`Arena`](crate::stack::Arena) is not enough: in words, and then the process ends.
//!
//! Whoever overflows a stack meets its guard, and the kernel sends SIGSEGV, which is handled on another stack. The standard library
//! does the same for the stacks of its threads; every other fault is left to whoever would have had it.

use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Arenas that are watched at a time.
const MOST: usize = 64;

/// An arena, as a signal handler can read it; where `start` is 0, there is none.
struct Watched {
    start: AtomicUsize,
    end: AtomicUsize,
    slot_bytes: AtomicUsize,
    guard_bytes: AtomicUsize,
}

static WATCHED: [Watched; MOST] = [const {
    Watched {
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        slot_bytes: AtomicUsize::new(0),
        guard_bytes: AtomicUsize::new(0),
    }
}; MOST];

/// What would have been done about the signal otherwise.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// Recognises the guards of an arena from now on.
pub(crate) fn watch(arena: Range<usize>, slot_bytes: usize, guard_bytes: usize) -> io::Result<()> {
    install()?;
    let claim = |watched: &&Watched| {
        let free = watched
            .start
            .compare_exchange(0, arena.start, SeqCst, SeqCst);
        free.is_ok()
    };
    // Beyond that many, an overflow ends the process all the same, with fewer words.
    if let Some(watched) = WATCHED.iter().find(claim) {
        watched.slot_bytes.store(slot_bytes, SeqCst);
        watched.guard_bytes.store(guard_bytes, SeqCst);
        watched.end.store(arena.end, SeqCst);
    }
    Ok(())
}

/// Forgets the arena that begins there.
pub(crate) fn forget(start: usize) {
    for watched in &WATCHED {
        if watched.start.load(SeqCst) == start {
            watched.end.store(0, SeqCst);
            watched.start.store(0, SeqCst);
        }
    }
}

fn install() -> io::Result<()> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        let mut before = MaybeUninit::uninit();
        // SAFETY: the old action is written to where there is room for it, and is initialised where the call succeeds. It is known
        // before the handler can be called.
        unsafe {
            let asked = libc::sigaction(libc::SIGSEGV, std::ptr::null(), before.as_mut_ptr());
            if asked != 0 {
                return Err(io::Error::last_os_error().raw_os_error().unwrap_or(0));
            }
            BEFORE.get_or_init(|| before.assume_init());
        }
        // SAFETY: all-zero is a valid sigaction with an empty mask; the handler does what a handler may.
        let set = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handle as *const () as libc::sighandler_t;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(libc::SIGSEGV, &raw const action, std::ptr::null_mut())
        };
        match set {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error().raw_os_error().unwrap_or(0)),
        }
    });
    installed.map_err(io::Error::from_raw_os_error)
}

/// How many bytes the stack has whose guard an address lies in.
fn overflowed(address: usize) -> Option<usize> {
    WATCHED.iter().find_map(|watched| {
        let (start, end) = (watched.start.load(SeqCst), watched.end.load(SeqCst));
        let slot = watched.slot_bytes.load(SeqCst).max(1);
        let guard = watched.guard_bytes.load(SeqCst);
        let is_guard = (start..end).contains(&address) && (address - start) % slot < guard;
        is_guard.then_some(slot - guard)
    })
}

extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel gives a handler with SA_SIGINFO what it knows of the signal.
    let address = unsafe { (*info).si_addr() } as usize;
    if let Some(bytes) = overflowed(address) {
        say(b"a stack of ");
        say_number(bytes);
        say(b" bytes has overflowed: give fibers a larger one (--stack-size)\n");
        // SAFETY: may be called in a handler.
        unsafe { libc::abort() };
    }
    // SAFETY: the action that was in place before is called as the kernel would call it; or it is put in place again, and the fault is
    // met once more.
    unsafe {
        match BEFORE.get() {
            Some(before)
                if before.sa_sigaction != libc::SIG_DFL
                    && before.sa_sigaction != libc::SIG_IGN
                    && before.sa_flags & libc::SA_SIGINFO != 0 =>
            {
                type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
                let handler: Handler = std::mem::transmute(before.sa_sigaction);
                handler(signal, info, context);
            }
            _ => {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = libc::SIG_DFL;
                libc::sigaction(signal, &raw const action, std::ptr::null_mut());
            }
        }
    }
}

fn say(text: &[u8]) {
    // SAFETY: the bytes are there to be read, and `write` may be called in a handler.
    unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
}

fn say_number(number: usize) {
    let mut digits = [0; 20];
    let mut left = number;
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            return say(&digits[place..]);
        }
    }
}

/// A stack for the handler, for as long as a thread resumes coroutines.
#[derive(Debug)]
pub struct HandlerStack(Option<NonNull<u8>>);

/// Room for the handler and whatever it interrupts saves.
const HANDLER_STACK: usize = 64 << 10;

impl HandlerStack {
    /// Sees to it that the calling thread has one; threads of the standard library do as a rule.
    ///
    /// # Errors
    /// Where there is no memory for it.
    pub fn of_this_thread() -> io::Result<Self> {
        let mut now = MaybeUninit::<libc::stack_t>::uninit();
        // SAFETY: nothing is set, and there is room for what is asked for, which is initialised where the call succeeds.
        let now = unsafe {
            crate::check(libc::sigaltstack(std::ptr::null(), now.as_mut_ptr()))?;
            now.assume_init()
        };
        if now.ss_flags & libc::SS_DISABLE == 0 {
            return Ok(Self(None));
        }
        // SAFETY: the mapping is new and replaces nothing; it stays until no handler runs on it any more.
        unsafe {
            let stack = libc::mmap(
                std::ptr::null_mut(),
                HANDLER_STACK,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if stack == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            let new = libc::stack_t {
                ss_sp: stack,
                ss_flags: 0,
                ss_size: HANDLER_STACK,
            };
            crate::check(libc::sigaltstack(&raw const new, std::ptr::null_mut()))?;
            Ok(Self(NonNull::new(stack.cast())))
        }
    }
}

impl Drop for HandlerStack {
    fn drop(&mut self) {
        let Some(stack) = self.0 else { return };
        let none = libc::stack_t {
            ss_sp: std::ptr::null_mut(),
            ss_flags: libc::SS_DISABLE,
            ss_size: HANDLER_STACK,
        };
        // SAFETY: the mapping is this value's own; it is dropped in the thread that has it as its handlers' stack, which has none
        // from then on.
        unsafe {
            libc::sigaltstack(&raw const none, std::ptr::null_mut());
            libc::munmap(stack.as_ptr().cast(), HANDLER_STACK);
        }
    }
}
