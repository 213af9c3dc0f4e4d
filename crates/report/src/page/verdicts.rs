//! What became of what was expected.

use crate::html::escape;
use command::quantity::significant;
use results::{Judged, Outcome, Run};
use std::fmt::Write;

pub(crate) fn section(run: &Run) -> String {
    let mut out = String::from("<section id=\"verdict\">\n<h2>Verdict</h2>\n");
    let Some(verdicts) = &run.verdicts else {
        out.push_str("<p>There is no verdict yet.</p>\n");
        let expected = run.manifest.expect.iter();
        for expectation in expected {
            let _ = writeln!(
                out,
                "<p>Expected: {} <code>{}</code></p>",
                escape(&expectation.text),
                escape(&expectation.ratio)
            );
        }
        return out + "</section>\n";
    };
    if verdicts.expectations.is_empty() {
        out.push_str("<p>Nothing was expected of this run.</p>\n");
    } else {
        out.push_str("<ul class=\"verdicts\">\n");
        verdicts
            .expectations
            .iter()
            .for_each(|judged| expectation(&mut out, judged));
        out.push_str("</ul>\n");
    }
    if !verdicts.slo.is_empty() {
        out.push_str(&super::objectives::part(run, &verdicts.slo));
    }
    out + "</section>\n"
}

/// A sign and a word, so that neither colour nor sign is needed alone.
pub(crate) fn badge(outcome: Outcome) -> String {
    format!(
        "<span class=\"badge {0}\">{1} {0}</span>",
        outcome.name(),
        sign(outcome)
    )
}

pub(crate) fn sign(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Met => "✓",
        Outcome::Missed => "✕",
        Outcome::Undecided => "?",
    }
}

fn expectation(out: &mut String, judged: &Judged) {
    let _ = write!(
        out,
        "<li>{} <strong>{}</strong><br><code>{}</code>",
        badge(judged.outcome),
        escape(&judged.text),
        escape(&judged.ratio)
    );
    if let Some(estimate) = judged.estimate {
        let _ = write!(
            out,
            " <span class=\"found\">found {}",
            significant(estimate, 3)
        );
        if let (Some(low), Some(high)) = (judged.low, judged.high) {
            let percent = command::quantity::trimmed(judged.level * 100.0, 1);
            let _ = write!(
                out,
                " ({percent}\u{a0}% interval {} to {})",
                significant(low, 3),
                significant(high, 3)
            );
        }
        out.push_str("</span>");
    }
    if let Some(note) = &judged.note {
        let _ = write!(out, "<br><span class=\"note\">{}</span>", escape(note));
    }
    out.push_str("</li>\n");
}
