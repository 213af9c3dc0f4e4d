//! Which part of a run of several processes this one is.

use crate::cli::Arguments;
use crate::output::Format;
use crate::run::Run;
use crate::share::{AskedShare, Part, Share, StartAt, placed};
use crate::{Failure, usage};
use command::quantity::counted;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// When the parts of a run begin if nothing is said: those that are ready within the same so many seconds begin together.
const START_AT: StartAt = StartAt::NextMultiple(Duration::from_secs(10));

/// What was typed, or the launcher told.
pub(super) struct Told {
    /// Which part, if it is to be one.
    pub(super) share: Option<Share>,
    /// When it begins, if not at once.
    pub(super) start_at: Option<StartAt>,
    /// What the run is called.
    pub(super) run_id: Option<String>,
}

/// Finds it out.
pub(super) fn told(arguments: &Arguments, remarks: &mut Vec<String>) -> Result<Told, Failure> {
    let (share, launchers_id) = match arguments.several.share {
        None => (None, None),
        Some(AskedShare::Given(share)) => (Some(share), None),
        Some(AskedShare::Auto) => {
            let placed = placed(|name| std::env::var(name).ok())?;
            remarks.push(format!("share {}, by {}", placed.share, placed.from));
            (Some(placed.share), placed.run_id)
        }
    };
    let is_one_of_several = share.is_some_and(|share| share.of > 1);
    let start_at = arguments
        .several
        .start_at
        .or(is_one_of_several.then_some(START_AT));
    let by_start = match arguments.several.start_at {
        Some(StartAt::Time(time)) => Some(time),
        _ => None,
    };
    let unix_ms = |time: SystemTime| {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_millis()
    };
    let run_id = arguments
        .several
        .run_id
        .clone()
        .or(launchers_id)
        .or(by_start.map(|start| format!("start-{}", unix_ms(start))))
        .or((!is_one_of_several)
            .then(|| format!("{}-{}", unix_ms(SystemTime::now()), std::process::id())));
    if run_id.is_none()
        && (arguments.several.out_dir.is_some() || arguments.output_format == Format::Lines)
    {
        return Err(usage(
            "which run this is a part of is not known, for the launcher does not say: add the same --run-id, or the same time of --start-at, to all parts",
        ));
    }
    Ok(Told {
        share,
        start_at,
        run_id,
    })
}

/// What is this part's of something that is divided, and how much belongs to the parts before it.
pub(super) fn own(share: Option<Share>, all: usize) -> (usize, usize) {
    share.map_or((all, 0), |share| {
        let (own, before) = share.divide(all as u64);
        (own as usize, before as usize)
    })
}

/// Makes a whole run the part of it that `share` is.
///
/// # Errors
/// When nothing is left to do for it.
pub(super) fn take(run: &mut Run, share: Share) -> Result<(), Failure> {
    let clients_of_all = run.clients;
    let (clients, clients_before) = own(Some(share), clients_of_all);
    if clients == 0 {
        let of = counted(clients_of_all as u64, "connection");
        return Err(usage(format!(
            "share {share} has none of the {of} (-c): use at least as many as there are parts, or fewer parts"
        )));
    }
    run.clients = clients;
    run.max_connections = own(Some(share), run.max_connections).0;
    run.idle = own(Some(share), run.idle).0;
    run.storm = own(Some(share), run.storm).0;
    if run.is_closed_loop() {
        run.requests = run.requests.map(|requests| share.divide(requests).0);
    }
    run.part = Some(Part {
        share,
        clients_before,
        clients_of_all,
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::cli::tests::parse;
    use crate::prepare::prepare;

    /// Clients, the most connections, idle connections, newcomers and requests of each part.
    fn parts(line: &str, of: u32) -> Vec<[u64; 5]> {
        let part = |number| {
            let line = format!("{line} --share {number}/{of}");
            let run = prepare(&parse(&line).expect(&line)).expect(&line).run;
            let counts = [run.clients, run.max_connections, run.idle, run.storm];
            let [clients, most, idle, storm] = counts.map(|count| count as u64);
            [clients, most, idle, storm, run.requests.unwrap_or(0)]
        };
        (1..=of).map(part).collect()
    }

    #[test]
    fn what_is_divided_is_all_there() {
        assert_eq!(
            parts("-c 10 --idle 3 --storm 5 -n 1001", 4),
            [
                [3, 3, 1, 2, 251],
                [3, 3, 1, 1, 250],
                [2, 2, 1, 1, 250],
                [2, 2, 0, 1, 250]
            ]
        );
        // Of an open loop each takes its own of the first so many arrivals.
        assert_eq!(
            parts("-R 10 -c 4 --max-connections 9 -n 100", 3),
            [[2, 3, 0, 0, 100], [1, 3, 0, 0, 100], [1, 3, 0, 0, 100]]
        );
        // No more clients than requests, as for one process.
        assert_eq!(parts("-n 3 -c 64", 3), [[1, 1, 0, 0, 1]; 3]);
    }

    #[test]
    fn no_request_of_a_closed_loop_is_made_twice() {
        use crate::schedule::{Origin, Schedule};
        let numbers = |run: &crate::run::Run| {
            let mut schedule = Schedule::new(run.schedule(0));
            let mut numbers = Vec::new();
            while let Some(due) = schedule.take(0) {
                assert!(matches!(due.origin, Origin::Client(_)));
                numbers.push(due.number);
                schedule.answered(due.origin, due.number, 0);
            }
            numbers
        };
        let mut all: Vec<u64> = (1..=3)
            .flat_map(|part| {
                let line = format!("-c 5 -n 50 --share {part}/3");
                numbers(&prepare(&parse(&line).expect("a line")).expect("a run").run)
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 50);
    }

    #[test]
    fn a_part_that_nothing_is_left_for_is_refused() {
        for line in [
            "-c 4 --share 5/8",
            "-R 10 -c 1 --share 2/2",
            "-n 2 --share 3/3",
        ] {
            let why = prepare(&parse(line).expect(line)).expect_err(line);
            assert!(why.is::<clap::Error>(), "{why}");
            assert!(why.to_string().contains("(-c)"), "{why}");
        }
    }

    #[test]
    fn what_a_run_is_called_is_known_or_asked_for() {
        for (line, id) in [
            ("--share 1/2 --out-dir x --run-id a", Some("a")),
            (
                "--share 1/2 --out-dir x --start-at 1764201600.5",
                Some("start-1764201600500"),
            ),
            ("--share 1/2 --out-dir x", None),
            ("--share 1/2 --output-format lines --start-at next:5s", None),
        ] {
            let prepared = prepare(&parse(line).expect(line));
            match id {
                Some(id) => assert_eq!(prepared.expect(line).run_id.as_deref(), Some(id)),
                None => assert!(prepared.expect_err(line).to_string().contains("--run-id")),
            }
        }
        assert!(
            prepare(&parse("--out-dir x").expect("a line"))
                .expect("a run")
                .run_id
                .is_some()
        );
    }
}
