//! Filters: services around services (Eriksen, section 2.3), as a list on the command line puts them together.
//!
//! Each is one file, and says what it makes of a request and of whatever stands behind it. Those that never keep a request from
//! being let in are a [`Filter`], a function as the paper has it; those that do have a `poll_ready` of their own.

mod auth;
mod cache;
mod counted;
mod fail_fast;
mod fan_out;
mod hedge;
mod limit;
mod noop;
mod retry;
mod shed;
mod timeout;
mod trace;

#[cfg(test)]
pub(crate) mod support;

use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::Duration;

use arch::ProcessContext;
use meter::StageCounters;
use tower::util::BoxCloneService;
use tower::{Layer, Service};
use workload::units;

use crate::service::{Answering, Answers, Chain, Error, Request, Response};
use auth::Credentials;

/// A filter as the paper has it: what it makes of a request, and of the service behind it, which is ready for one call.
pub(crate) trait Filter: Clone + Send + 'static {
    fn answer(&self, request: Request, next: &mut impl Answers) -> Answering;
}

/// Puts a filter before a service.
#[derive(Debug, Clone)]
pub(crate) struct FilterLayer<F>(pub(crate) F);

/// A service with a filter before it, which is ready when the service is.
#[derive(Debug, Clone)]
pub(crate) struct Filtered<F, S> {
    filter: F,
    next: S,
}

impl<F: Clone, S> Layer<S> for FilterLayer<F> {
    type Service = Filtered<F, S>;

    fn layer(&self, next: S) -> Self::Service {
        let filter = self.0.clone();
        Filtered { filter, next }
    }
}

impl<F: Filter, S: Answers> Service<Request> for Filtered<F, S> {
    type Response = Response;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.next.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Answering {
        self.filter.answer(request, &mut self.next)
    }
}

/// A filter as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    Auth(Credentials),
    Cache(Duration),
    FailFast(Duration),
    FanOut(usize),
    Hedge(Duration),
    Limit(usize),
    Noop(usize),
    Retry(usize),
    Shed,
    Stats,
    Timeout(Duration),
    Trace,
}

/// What can be named, in alphabetical order: a name, what its value looks like if it has one, and how that is read.
struct Kind {
    name: &'static str,
    value: Option<&'static str>,
    read: fn(&str) -> Result<Named, String>,
}

const KINDS: &[Kind] = &[
    kind("auth", Some("USER:PASS"), |text| {
        Credentials::read(text).map(Named::Auth)
    }),
    kind("cache", Some("TIME"), |text| time(text).map(Named::Cache)),
    kind("fail-fast", Some("TIME"), |text| {
        time(text).map(Named::FailFast)
    }),
    kind("fan-out", Some("N"), |text| {
        count(text, 1, 64).map(Named::FanOut)
    }),
    kind("hedge", Some("TIME"), |text| time(text).map(Named::Hedge)),
    kind("limit", Some("N"), |text| {
        count(text, 1, MOST).map(Named::Limit)
    }),
    kind("noop", Some("N"), |text| {
        count(text, 1, 1000).map(Named::Noop)
    }),
    kind("retry", Some("N"), |text| {
        count(text, 1, 10).map(Named::Retry)
    }),
    kind("shed", None, |_| Ok(Named::Shed)),
    kind("stats", None, |_| Ok(Named::Stats)),
    kind("timeout", Some("TIME"), |text| {
        time(text).map(Named::Timeout)
    }),
    kind("trace", None, |_| Ok(Named::Trace)),
];

/// The most requests that may be limited to.
const MOST: usize = 1_000_000;

const fn kind(
    name: &'static str,
    value: Option<&'static str>,
    read: fn(&str) -> Result<Named, String>,
) -> Kind {
    Kind { name, value, read }
}

impl Kind {
    /// As it is typed.
    fn form(&self) -> String {
        match self.value {
            Some(value) => format!("{}={value}", self.name),
            None => self.name.to_owned(),
        }
    }
}

fn time(text: &str) -> Result<Duration, String> {
    match units::duration(text) {
        Ok(Duration::ZERO) => Err("it must be more than nothing, like 10ms".into()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

fn count(text: &str, least: usize, most: usize) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| (least..=most).contains(count))
        .ok_or_else(|| format!("expected a number from {least} to {most}"))
}

impl Named {
    /// What it is told under in the summary; nothing for what does nothing.
    fn stage(&self) -> Option<&'static str> {
        Some(match self {
            Self::Auth(_) => "auth",
            Self::Cache(_) => "cache",
            Self::FailFast(_) => "fail-fast",
            Self::FanOut(_) => "fan-out",
            Self::Hedge(_) => "hedge",
            Self::Limit(_) => "limit",
            Self::Noop(_) => return None,
            Self::Retry(_) => "retry",
            Self::Shed => "shed",
            Self::Stats => "stats",
            Self::Timeout(_) => "timeout",
            Self::Trace => "trace",
        })
    }

    /// The filter before `chain`. It tells of itself by `stage`.
    fn before(&self, chain: Chain, stage: StageCounters) -> Chain {
        match self {
            Self::Auth(credentials) => put(
                FilterLayer(auth::Auth::new(credentials.clone(), stage)),
                chain,
            ),
            Self::Cache(time) => put(FilterLayer(cache::Cache::new(*time)), chain),
            Self::FailFast(time) => put(FilterLayer(fail_fast::FailFast::new(*time, stage)), chain),
            Self::FanOut(copies) => put(FilterLayer(fan_out::FanOut(*copies)), chain),
            Self::Hedge(after) => put(FilterLayer(hedge::Hedge::new(*after)), chain),
            Self::Limit(most) => put(limit::layer(*most), chain),
            Self::Retry(times) => put(retry::layer(*times), chain),
            Self::Shed => put(shed::ShedLayer(stage), chain),
            // That it is counted is all.
            Self::Stats | Self::Noop(_) => chain,
            Self::Timeout(at_most) => {
                let timeout = timeout::Timeout {
                    at_most: *at_most,
                    stage,
                };
                put(FilterLayer(timeout), chain)
            }
            Self::Trace => put(FilterLayer(trace::Trace), chain),
        }
    }
}

/// Puts a layer before a chain.
fn put<L>(layer: L, chain: Chain) -> Chain
where
    L: Layer<Chain, Service: Answers>,
{
    BoxCloneService::new(layer.layer(chain))
}

/// A list of filters, in the order in which a request comes to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters(Vec<Named>);

impl Filters {
    /// The filters before a service. Each but those that do nothing is counted as a stage of the process.
    ///
    /// # Errors
    /// With more of them than the meter has room for.
    pub(crate) fn before(&self, leaf: Chain, process: &ProcessContext) -> std::io::Result<Chain> {
        let names = self.stage_names();
        let stages = match names.is_empty() {
            true => Vec::new(),
            false => process.stages_of(&names)?,
        };
        Ok(self.compose(leaf, stages))
    }

    /// From the last to the first: each stands before all that follow.
    fn compose(&self, leaf: Chain, mut stages: Vec<StageCounters>) -> Chain {
        self.0.iter().rev().fold(leaf, |chain, filter| {
            if let Named::Noop(times) = filter {
                return (0..*times).fold(chain, |chain, _| put(noop::NoopLayer, chain));
            }
            match stages.pop() {
                Some(stage) => put(counted::CountedLayer(stage), filter.before(chain, stage)),
                // Never: every other filter has a stage.
                None => chain,
            }
        })
    }

    /// Their names in the summary; one that stands twice in the list has a number from then on.
    fn stage_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for stage in self.0.iter().filter_map(Named::stage) {
            let is_same = |name: &&String| name.split(' ').next() == Some(stage);
            names.push(match names.iter().filter(is_same).count() {
                0 => stage.to_owned(),
                before => format!("{stage} {}", before + 1),
            });
        }
        names
    }
}

impl FromStr for Filters {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let mut list = text
            .split(',')
            .map(|item| {
                read(item).map_err(|error| {
                    let forms: Vec<_> = KINDS.iter().map(Kind::form).collect();
                    format!("{error}; there are {}", forms.join(", "))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        place_sheds(&mut list)?;
        if list
            .iter()
            .filter(|filter| filter.stage().is_some())
            .count()
            > MOST_STAGES
        {
            return Err(format!(
                "at most {MOST_STAGES} filters beside noop are counted"
            ));
        }
        Ok(Self(list))
    }
}

/// As many as the meter has room for.
const MOST_STAGES: usize = 12;

fn read(item: &str) -> Result<Named, String> {
    let (name, value) = match item.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (item, None),
    };
    let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
        let distance = |kind: &&Kind| strsim::damerau_levenshtein(name, kind.name);
        let nearest = KINDS.iter().min_by_key(distance);
        let nearest = nearest.filter(|kind| distance(kind) * 2 <= kind.name.len());
        let hint = nearest.map_or(String::new(), |kind| {
            format!(", did you mean '{}'?", kind.form())
        });
        return Err(format!("no filter is called '{name}'{hint}"));
    };
    match (value, kind.value) {
        (None, Some(_)) if kind.name == "noop" => Ok(Named::Noop(1)),
        (None, Some(form)) => Err(format!("'{name}' needs a value: {name}={form}")),
        (Some(_), None) => Err(format!("'{name}' takes no value")),
        (value, _) => (kind.read)(value.unwrap_or_default())
            .map_err(|error| format!("'{item}': {error}, as {}", kind.form())),
    }
}

/// Whatever sheds has to stand before what makes others wait. One that is named right behind a limit is meant so, too; one behind
/// which nobody ever waits would do nothing.
fn place_sheds(list: &mut [Named]) -> Result<(), String> {
    for at in 1..list.len() {
        if let [Named::Limit(_), Named::Shed] = list[at - 1..=at] {
            list.swap(at - 1, at);
        }
    }
    let last_limit = list
        .iter()
        .rposition(|filter| matches!(filter, Named::Limit(_)));
    let last_shed = list.iter().rposition(|filter| *filter == Named::Shed);
    if last_shed.is_some() && last_shed > last_limit {
        return Err("'shed' sheds what would have to wait, and there is no limit behind it that makes anybody wait: limit=N,shed".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
