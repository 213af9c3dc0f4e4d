//! What most of the failed requests came to, in words.

use crate::asked::Asked;
use crate::failure::Failure;
use crate::measure::Outcome;

/// How many failed in the way that most did, in which way, an example, and what to look at. None if nothing failed.
pub(super) fn mostly(run: &Asked, outcome: &Outcome) -> Option<String> {
    let (failure, status, count) = commonest(run, outcome)?;
    let what = match status {
        0 => format!("{count} by {}", Failure::name(failure.index())),
        status => format!("{count} were answered with status {status}"),
    };
    let mut examples = outcome.record.examples.iter();
    let example = examples.find(|example| (example.of, example.status) == (failure, status));
    let like = example.map_or(String::new(), |example| {
        let said = format!(": status {status}");
        let words = example.words.strip_suffix(&said);
        format!(", like {}", words.unwrap_or(&example.words))
    });
    Some(format!("{what}{like}; {}", advice(failure, status)))
}

fn commonest(run: &Asked, outcome: &Outcome) -> Option<(Failure, u16, u64)> {
    let (counts, statuses) = (&outcome.record.counts, &outcome.record.statuses);
    let by_status = (0..)
        .zip(statuses)
        .filter_map(|(status, count)| Some((run.expect.failure(status)?, status, *count)));
    let others = OTHERS.iter().copied();
    let others = others.chain(http::client::Error::ALL.iter().copied().map(Failure::Http));
    let others = others
        .filter(|failure| Failure::is_of_request(failure.index()))
        .map(|failure| (failure, 0, counts.of(failure)));
    let all = by_status.chain(others).filter(|(.., count)| *count > 0);
    all.max_by_key(|(.., count)| *count)
}

/// Classes of requests beside those that are told apart by status, and those of malformed responses.
const OTHERS: [Failure; 5] = [
    Failure::NoConnection,
    Failure::Timeout,
    Failure::Reset,
    Failure::Socket,
    Failure::Mismatch,
];

fn advice(failure: Failure, status: u16) -> &'static str {
    match (failure, status) {
        (_, 404 | 410) => {
            "does the server have what is asked for? Compare the URL, --files and --files-seed with the directory it serves"
        }
        (_, 401 | 403) => {
            "may it be read? See the permissions of the files served, and -H for credentials"
        }
        (_, 408 | 429 | 503) => {
            "the server is at a limit of its own: use fewer connections or a lower rate, or raise the limit there"
        }
        (Failure::Status2xx, _) | (_, 304) => "it is not among the statuses expected (--expect)",
        (Failure::Status3xx, _) => "redirects are not followed: ask for where they lead",
        (Failure::Status4xx, _) => {
            "the server does not accept the request: see the URL, --method and -H"
        }
        (Failure::Status5xx, _) => "the server's own log or summary says why",
        (Failure::StatusOther, _) => "HTTP has no such status: see what serves there",
        (Failure::NoConnection, _) => "was the server gone, or at a limit of its own?",
        (Failure::Timeout, _) => "the server did not answer within --timeout",
        (Failure::Mismatch, _) => {
            "does the server have these files? Compare --files and --files-seed with the directory it serves"
        }
        (Failure::Http(_), _) => "see what serves there, and its log or summary",
        _ => "the server's own log or summary may say why it closed connections",
    }
}
