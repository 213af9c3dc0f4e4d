//! Whether each trial may be believed, and why not.

use crate::html::escape;
use command::quantity::{counted, trimmed};
use results::{Run, Trial, Validity};
use std::fmt::Write;

/// Doubtful trials that are shown by themselves; more are a matter for the whole table.
const FEW: usize = 8;

pub(crate) fn section(run: &Run) -> String {
    let mut out = String::from("<section id=\"trials\">\n<h2>Trials</h2>\n");
    let doubtful: Vec<&Trial> = run
        .trials
        .iter()
        .filter(|trial| trial.verdict != Validity::Valid)
        .collect();
    if doubtful.is_empty() {
        let all = match run.trials.len() {
            1 => "The only trial is valid".to_owned(),
            count => format!("All {count} trials are valid"),
        };
        let _ = writeln!(out, "<p>{all}.</p>");
    } else {
        let _ = writeln!(
            out,
            "<p>{}: {}. Invalid ones are drawn crossed out and take no part in medians; those that failed have no figures.</p>",
            counted(run.trials.len() as u64, "trial"),
            super::counts(run)
        );
        if doubtful.len() <= FEW {
            table(&mut out, run, &doubtful);
        }
    }
    let _ = writeln!(
        out,
        "<details><summary>All {} trials, in the order in which they were made</summary>",
        run.trials.len()
    );
    table(&mut out, run, &run.trials.iter().collect::<Vec<_>>());
    out + "</details>\n</section>\n"
}

fn table(out: &mut String, run: &Run, trials: &[&Trial]) {
    out.push_str("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th>Trial</th>");
    let swept = run.swept();
    for factor in &swept {
        let unit = if factor.unit.is_empty() || factor.unit == factor.name {
            String::new()
        } else {
            format!(" ({})", factor.unit)
        };
        let _ = write!(out, "<th>{}{}</th>", escape(&factor.name), escape(&unit));
    }
    out.push_str(
        "<th>Verdict</th><th class=\"n\">Took</th><th>Reasons</th></tr></thead>\n<tbody>\n",
    );
    for trial in trials {
        let _ = write!(out, "<tr><td class=\"id\">{}</td>", escape(&trial.id));
        for factor in &swept {
            let _ = write!(out, "<td>{}</td>", escape(&trial.level(&factor.name)));
        }
        let verdict = trial.verdict.name();
        let _ = writeln!(
            out,
            "<td><span class=\"badge {}\">{verdict}</span></td><td class=\"n\">{} s</td><td class=\"why\">{}</td></tr>",
            verdict.to_lowercase(),
            trimmed(trial.elapsed_s, 1),
            escape(&reasons(trial))
        );
    }
    out.push_str("</tbody>\n</table></div>\n");
}

fn reasons(trial: &Trial) -> String {
    let failure = trial
        .failure
        .as_ref()
        .map(|failure| format!("{}: {}", failure.step, failure.reason));
    failure
        .iter()
        .chain(&trial.reasons)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ")
}
