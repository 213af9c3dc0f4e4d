//! Who asks, and when.

use super::file::open;
use crate::cli::Arguments;
use crate::run::{Arrivals, Model};
use crate::schedule::Think;
use crate::{Failure, usage};
use command::input;
use command::quantity::counted;
use std::time::Duration;
use workload::trace::{self, AccessLog};
use workload::{Arrival, RateStages, Schedule};

/// The model, and its name for people.
pub(super) fn model(
    arguments: &Arguments,
    log: Option<&AccessLog>,
    duration: Option<Duration>,
) -> Result<(Model, String), Failure> {
    let process = match (&arguments.arrival, arguments.poisson) {
        (Some(process), _) => Some(process.clone()),
        (None, true) => Some(Arrival::Poisson),
        (None, false) => None,
    };
    let rates = match (arguments.rate, &arguments.stages) {
        (Some(rate), _) => Some((
            RateStages::steady(rate, duration).map_err(|error| usage(error.to_string()))?,
            format!("{rate}/s"),
        )),
        (None, Some(stages)) => Some((stages.clone(), "rate by stages".to_owned())),
        (None, None) => None,
    };
    let own_time = log.filter(|_| arguments.replay_timing);
    let (arrivals, how) = match (own_time, process, rates) {
        (Some(log), ..) => {
            let times = log.times().ok_or("the log has no times")?;
            (
                recorded(Schedule::trace(times)),
                "the log's own timing".to_owned(),
            )
        }
        (None, Some(Arrival::Trace(_)), Some(_)) => {
            return Err(usage(
                "a trace has its own rate: leave out --rate and --stages",
            ));
        }
        (None, Some(Arrival::Trace(path)), None) => {
            let times = open(&path, trace::Times::read)?;
            (
                recorded(Schedule::trace(times)),
                format!("arrivals of {}", input::name(&path)),
            )
        }
        (None, Some(_), None) => {
            return Err(usage(
                "--poisson and --arrival need a rate: add --rate or --stages",
            ));
        }
        (None, process, Some((stages, rate))) => {
            let poisson = process == Some(Arrival::Poisson);
            let times = if poisson {
                Schedule::poisson(stages.clone(), arguments.seed)
            } else {
                Schedule::constant(stages.clone())
            };
            let name = if poisson { "Poisson" } else { "constant" };
            let asked = Some((stages, poisson));
            (Arrivals { times, asked }, format!("{name}, {rate}"))
        }
        (None, None, None) => return closed_loop(arguments),
    };
    let thinks = arguments.think != Think::Constant(Duration::ZERO);
    if arguments.session_at_once && thinks {
        return Err(usage(
            "in a session whose requests come all at once (--session-at-once) nobody thinks: leave out --think",
        ));
    }
    match arguments.session_requests {
        Some(requests) => Ok((
            Model::PartlyOpen(arrivals, requests),
            format!(
                "partly open: sessions of {}{}, {how}",
                counted(requests.into(), "request"),
                if arguments.session_at_once {
                    " at once"
                } else {
                    ""
                }
            ),
        )),
        None if thinks => Err(usage(
            "in an open loop nobody thinks: add --session-requests, or leave out --think or the rate",
        )),
        None => Ok((Model::Open(arrivals), format!("open loop, {how}"))),
    }
}

fn closed_loop(arguments: &Arguments) -> Result<(Model, String), Failure> {
    if arguments.session_requests.is_some() {
        return Err(usage(
            "--session-requests needs a rate of sessions: add --rate or --stages",
        ));
    }
    Ok((Model::Closed, "closed loop".to_owned()))
}

fn recorded(times: Schedule) -> Arrivals {
    Arrivals { times, asked: None }
}
