//! Availability: the share of requests, or of seconds, with a good answer.

use super::Report;

/// A part of a second that is shorter, in seconds, tells nothing.
const FRAGMENT_S: f64 = 0.2;

/// The share of requests that were answered well, in percent of the `due` ones. What is `unfinished` when a run ends has neither been
/// answered nor failed, and is left out. None where nothing is left.
pub fn of_requests(completed: u64, due: u64, unfinished: u64) -> Option<f64> {
    let over = due.saturating_sub(unfinished).max(completed);
    (over > 0).then(|| 100.0 * completed as f64 / over as f64)
}

/// The share of the seconds after the warm-up in which at least one request was answered well, in percent: of a server that stands still
/// nothing is answered, whatever is due. A second is its end, since the start of the run, and how many requests were answered in it.
pub fn of_seconds(warmup_s: f64, seconds: impl IntoIterator<Item = (f64, u64)>) -> Option<f64> {
    let mut start_s = warmup_s;
    let (mut all, mut available) = (0_u32, 0_u32);
    for (end_s, completed) in seconds {
        if end_s - start_s >= FRAGMENT_S {
            all += 1;
            available += u32::from(completed > 0);
        }
        start_s = start_s.max(end_s);
    }
    (all > 0).then(|| 100.0 * f64::from(available) / f64::from(all))
}

impl Report {
    /// [`of_requests`] of this run. Of a generator that does not say how many were due, those are what was answered or failed.
    pub fn availability_percent(&self) -> Option<f64> {
        let requests = &self.requests;
        let completed = requests.completed?;
        let warming_up = requests.warming_up.unwrap_or(0);
        match requests.scheduled {
            Some(all) => of_requests(
                completed,
                all.saturating_sub(warming_up),
                requests.unfinished.unwrap_or(0),
            ),
            None => of_requests(completed, completed + requests.errors_total.unwrap_or(0), 0),
        }
    }

    /// [`of_seconds`] of this run.
    pub fn available_seconds_percent(&self) -> Option<f64> {
        let seconds = self.series.iter();
        of_seconds(
            self.run.warmup_s.unwrap_or(0.0),
            seconds.map(|second| (second.at_s, second.completed.unwrap_or(0))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_at_the_end_is_neither_available_nor_not() {
        assert_eq!(of_requests(90, 110, 10), Some(90.0));
        assert_eq!(of_requests(0, 10, 0), Some(0.0));
        assert_eq!(of_requests(0, 10, 10), None);
        assert_eq!(of_requests(0, 0, 0), None);
    }

    #[test]
    fn seconds_of_the_warm_up_and_fragments_do_not_count() {
        let seconds = [(1.0, 0), (2.0, 5), (3.0, 0), (4.0, 1), (4.1, 0)];
        let share = of_seconds(0.9, seconds).expect("a share");
        assert!((share - 200.0 / 3.0).abs() < 1e-9, "{share}");
        assert_eq!(of_seconds(5.0, seconds), None);
        assert_eq!(of_seconds(0.0, []), None);
    }
}
