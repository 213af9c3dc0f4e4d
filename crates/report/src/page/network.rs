//! What server and generator spoke over, and what was seen of it on the way.

use std::collections::BTreeSet;
use std::fmt::Write;

use results::{Figure, Run, Statistic, TimeFigure, Trial};

use crate::html::escape;
use command::quantity::Unit;

/// What was spoken over, in a sentence or two.
pub(super) fn sentences(run: &Run) -> String {
    let networks: BTreeSet<&str> = run
        .trials
        .iter()
        .filter_map(|trial| trial.network.as_ref())
        .map(|network| network.description.as_str())
        .filter(|description| !description.is_empty() && *description != LOOPBACK)
        .collect();
    let is_loopback = |trial: &Trial| {
        let network = trial.network.as_ref();
        network.is_none_or(|network| network.description == LOOPBACK)
    };
    let mut text = String::new();
    if run.trials.iter().any(is_loopback) {
        text.push_str(
            "Over loopback there is no network card, no interrupt, no loss; the cost of copying weighs more than between machines. ",
        );
    }
    for network in &networks {
        let _ = write!(text, "They spoke over {}. ", escape(network));
    }
    if !networks.is_empty() {
        text.push_str("Between two hosts on one machine there are two network stacks and one kernel, still without a card. ");
    }
    let ways: BTreeSet<&str> = run
        .trials
        .iter()
        .filter_map(|trial| trial.network.as_ref()?.way.as_deref())
        .collect();
    if !ways.is_empty() {
        let ways: Vec<_> = ways.into_iter().collect();
        let _ = write!(
            text,
            "Packets were made to take their time by {}. ",
            escape(&ways.join(" and "))
        );
    }
    text.trim_end().to_owned()
}

/// How the lab calls it.
const LOOPBACK: &str = "loopback";

/// Where the time of a request went: what the generator measured, beside what passed at the interfaces. None if nothing was captured.
pub(super) fn section(run: &Run) -> Option<String> {
    if run.trials.iter().all(|trial| trial.wire.is_empty()) {
        return None;
    }
    let mut out = String::from(
        "<section id=\"wire\">\n<h2>On the wire</h2>\n<p>Mean times of a request in each trial. <em>Generator</em> is its service time, from writing to the last byte; \
         <em>server</em> is what lay between the request's last byte and the answer's at the server's interface; <em>network</em> is how much longer that was at the \
         client's, and <em>client</em> what is left: the generator itself and its kernel's part. On loopback both ends have one interface, so that network has no share. \
         A SUSPECT trace lacks packets.</p>\n<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th>Trial</th><th>Model</th><th>Over</th><th>Trace</th><th>Generator</th><th>Server</th>\
         <th>Network</th><th>Client</th><th>Packets/request</th><th>Sent again</th><th>Told by</th></tr></thead>\n<tbody>\n",
    );
    for trial in run.trials.iter().filter(|trial| !trial.wire.is_empty()) {
        row(&mut out, trial);
    }
    out.push_str("</tbody></table></div>\n");
    let notes: BTreeSet<&str> = run
        .trials
        .iter()
        .flat_map(|trial| &trial.wire)
        .filter(|wire| wire.summary.verdict != Some(results::Validity::Valid))
        .flat_map(|wire| wire.summary.notes.iter().map(String::as_str))
        .collect();
    for note in notes {
        let _ = writeln!(out, "<p class=\"warning\">{}</p>", escape(note));
    }
    Some(out + "</section>\n")
}

fn row(out: &mut String, trial: &Trial) {
    let service = Figure::Time(TimeFigure::Service, Statistic::Mean).of(trial);
    let (server, client) = (Figure::WireServer.of(trial), Figure::WireClient.of(trial));
    let less = |whole: Option<f64>, part: Option<f64>| Some(whole? - part?);
    let network = match trial.wire.len() {
        1 => None,
        _ => less(client, server),
    };
    let time = |micros: Option<f64>| {
        micros.map_or("–".into(), |micros| Unit::Seconds.show(micros / 1e6))
    };
    let number = |figure: Figure| {
        figure
            .of(trial)
            .map_or("–".into(), |value| Unit::Plain.show(value))
    };
    let network_name = trial
        .network
        .as_ref()
        .map_or("", |network| network.description.as_str());
    let verdicts: BTreeSet<_> = trial
        .wire
        .iter()
        .filter_map(|wire| wire.summary.verdict)
        .collect();
    let worst = verdicts.last().map_or("–".into(), ToString::to_string);
    let cells = [
        escape(&trial.id),
        escape(&trial.level("model")),
        escape(network_name),
        worst,
        time(service),
        time(server),
        time(network),
        time(less(service, client)),
        number(Figure::PacketsPerRequest),
        number(Figure::Retransmissions),
        told_by(trial).into(),
    ];
    let cells: String = cells
        .iter()
        .map(|cell| format!("<td>{cell}</td>"))
        .collect();
    let _ = writeln!(out, "<tr>{cells}</tr>");
}

/// How requests were told apart.
fn told_by(trial: &Trial) -> &'static str {
    let any = |of: fn(&contracts::wire::Summary) -> Option<u64>| {
        trial.wire.iter().any(|wire| of(&wire.summary) > Some(0))
    };
    match (
        any(|seen| seen.requests),
        any(|seen| seen.by_bytes_and_time),
    ) {
        (true, true) => "HTTP/1, some by bytes and time alone",
        (true, false) => "HTTP/1",
        (false, true) => "bytes and time alone",
        (false, false) => "–",
    }
}
