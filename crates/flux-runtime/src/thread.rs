//! A thread for each flow.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::locks::{Held, Parked, Table};
use crate::running::{Progress, Running};
use crate::source::{Arrival, Source};
use crate::{Flow, Host, Profile, sources};

/// Runs flows until their sources are at an end, and the last flow is.
///
/// Where there are `most` threads, or the system gives no more, a flow runs in that of its source, and the next one waits.
///
/// # Errors
/// What a source reports.
pub fn run<F: Flow, S: Source<F> + Send + 'static>(
    most: usize,
    host: &Arc<impl Host<F>>,
    from: Vec<S>,
    table: &Arc<Table>,
    profile: Option<&Arc<Profile>>,
) -> io::Result<()> {
    let alive = Arc::new(sources::Alive::default());
    let give = {
        let (host, table, alive) = (Arc::clone(host), Arc::clone(table), Arc::clone(&alive));
        let profile = profile.cloned();
        move |mut source: S| {
            let mut context = host.context();
            loop {
                let flow = match source.next(true, &mut context)? {
                    Arrival::Flow(flow) => flow,
                    Arrival::Nothing => continue,
                    Arrival::Lost => {
                        host.defect();
                        context = host.context();
                        continue;
                    }
                    Arrival::End => return Ok(true),
                    Arrival::Stop => return Ok(false),
                };
                // Another source has ended it all.
                let Some(one) = alive.one() else {
                    return Ok(false);
                };
                let held = Held::new(Arc::clone(&table), Parked::default());
                let running = Running::new(flow, held, profile.as_deref());
                // A thread that cannot be had would take the flow along.
                let handed = Arc::new(Mutex::new(Some(running)));
                let work = {
                    let (handed, host) = (Arc::clone(&handed), Arc::clone(&host));
                    let profile = profile.clone();
                    move || {
                        let _one = one;
                        let mut context = host.context();
                        finish(&handed, &*host, &mut context, profile.as_deref());
                    }
                };
                let thread = std::thread::Builder::new().name("flow".into());
                if alive.count() > most || thread.spawn(work).is_err() {
                    finish(&handed, &*host, &mut context, profile.as_deref());
                }
            }
        }
    };
    let given = sources::run(F::PROGRAM.sources, from, give);
    alive.close();
    if given? {
        alive.wait_for_none();
    }
    Ok(())
}

/// Runs the flow that was handed over to its end.
fn finish<F: Flow>(
    handed: &Mutex<Option<Running<F, Parked>>>,
    host: &impl Host<F>,
    context: &mut F::Context,
    profile: Option<&Profile>,
) {
    let running = handed.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(running) = running else { return };
    if let Progress::Lost = running.finish(context, profile) {
        host.defect();
        *context = host.context();
    }
}
