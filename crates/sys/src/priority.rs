//! Who gives way to whom on a core.

use std::io;

/// Has the calling thread run only while no other wants its core, and be preempted at once by any that does (`SCHED_IDLE`, sched(7)).
///
/// # Errors
/// Where the system does not let it.
pub fn give_way() -> io::Result<()> {
    // SAFETY: it is made of integers, of which zero is one.
    let parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: 0 is the calling thread, and the parameters live through the call.
    let set = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters) };
    crate::check(set).map(drop)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_thread_gives_way_and_no_other_does() {
        // The 41st field, of which the second ends with the last parenthesis (proc_pid_stat(5)).
        let policy = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("readable");
            let rest = stat.rsplit_once(')').expect("a name").1;
            rest.split_whitespace().nth(38).map(str::to_owned)
        };
        let before = policy();
        let given = std::thread::spawn(move || {
            super::give_way().expect("anybody may");
            policy()
        });
        assert_eq!(given.join().expect("it ends").as_deref(), Some("5"));
        assert_eq!(policy(), before);
    }
}
