//! How single values are read, and which are refused.

use std::time::Duration;

use workload::units;

use super::Cores;
use crate::schedule::Think;

pub(super) fn positive(text: &str) -> Result<u64, String> {
    match units::count(text) {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(count) => Ok(count),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    match units::duration(text) {
        Ok(Duration::ZERO) => Err("must be more than nothing".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn think(text: &str) -> Result<Think, String> {
    let (of, time): (fn(Duration) -> Think, _) = match text.strip_prefix("exp:") {
        Some(mean) => (Think::Exponential, mean),
        None => (Think::Constant, text),
    };
    units::duration(time)
        .map(of)
        .map_err(|error| error.to_string())
}

pub(super) fn cores(text: &str) -> Result<Cores, String> {
    let number = |text: &str| {
        text.parse::<usize>()
            .ok()
            .filter(|core| *core < 1024)
            .ok_or_else(|| format!("'{text}' is not the number of a core; expected 1, 0,2 or 0-3"))
    };
    let mut cores = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => cores.extend(number(first)?..=number(last)?),
            None => cores.push(number(part)?),
        }
    }
    if cores.is_empty() {
        return Err("no core is named; expected 1, 0,2 or 0-3".to_owned());
    }
    Ok(Cores(cores))
}

pub(super) fn refuse_q(_: &str) -> Result<String, String> {
    Err(
        "-q is a rate in some load generators and means quiet in others. Use -R (--rate, --qps) for a rate in all, \
         --quiet for no progress"
            .to_owned(),
    )
}

pub(super) fn refuse_correction(_: &str) -> Result<String, String> {
    Err(
        "nothing is to be corrected here: in an open loop (-R) time counts from when a request was due, always. Leave it out"
            .to_owned(),
    )
}

/// HTTP/3 is not spoken here.
pub(super) fn no_http3(_: &str) -> Result<bool, String> {
    Err("HTTP/3 is not spoken: it brings a transport of its own above UDP, which would be measured in place of the server's; --http2 is".into())
}
