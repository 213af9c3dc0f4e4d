//! A program on each runtime, until its sources are at an end.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use flux_runtime::{Flow, Gathered, Host, Loop, Pool, Profile, Sourced, Steps, Table, thread};

/// Far more than any of these programs takes; one that hangs takes for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lends nothing.
struct Nothing;

impl<F: Flow<Context = ()>> Host<F> for Nothing {
    fn context(&self) {}
}

/// Has `begin` make everything anew, and runs the program, on each runtime in turn; then `end` looks at what came of it.
///
/// # Panics
/// Where it comes to no end, or a constraint is still held afterwards.
pub(crate) fn on_each_runtime<F: Sourced<Context = ()>>(
    mut begin: impl FnMut(),
    mut end: impl FnMut(&str, &Profile),
) {
    for runtime in ["thread", "pool", "event"] {
        begin();
        let (done, is_done) = mpsc::channel();
        let table = Arc::new(Table::new(F::PROGRAM.constraints));
        let profile = Arc::new(Profile::new(F::PROGRAM));
        let run = {
            let (table, profile) = (Arc::clone(&table), Arc::clone(&profile));
            move || {
                let host = Arc::new(Nothing);
                let sources = || {
                    (0..F::PROGRAM.sources.len())
                        .map(|number| Steps::new(number, Arc::clone(&table)))
                };
                let ran = match runtime {
                    "thread" => thread::run::<F, Steps>(
                        64,
                        &host,
                        sources().collect(),
                        &table,
                        Some(&profile),
                    ),
                    "pool" => Pool::start(4, &host, &table, Some(&profile))
                        .and_then(|pool: Pool<F, _>| pool.run::<Steps>(sources().collect())),
                    _ => Gathered::<F>::start(&host, &table).and_then(|sources| {
                        Loop::start(4, &host, &table, Some(&profile), sources.waker())?.run(sources)
                    }),
                };
                let _ = done.send(ran);
            }
        };
        std::thread::spawn(run);
        let ran = is_done.recv_timeout(PATIENCE);
        ran.unwrap_or_else(|_| panic!("{runtime} hangs")).unwrap();
        assert_eq!(table.held(), 0, "{runtime}");
        end(runtime, &profile);
    }
}
