//! The report: one HTML file that needs nothing else, neither network nor script.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `answer` | the answer, before all else |
//! | `head` | what the page may do: nothing but its own style and script, by their hashes |
//! | `figures` | which figures there are, in which order |
//! | `levels` | the most telling circumstances |
//! | `map` | which architecture answers which |
//! | `network` | what was spoken over, and what was captured of it |
//! | `verdicts`, `objectives`, `tables`, `trials`, `environment` | the other sections |
//! | `matrix`, `heat` | a compact table, a colour and a number in each cell; what all models did under all circumstances |
//!
//! Hovering and toggling are 70 lines of our own rather than a library. The figures are SVG that is complete when the file is written;
//! chart libraries draw their own from data (on a canvas, most of them), so that each figure would exist twice, and differ without script.
//! Of what remains, finding the nearest marker, saying what is there and hiding a group, a tooltip library (nanopop, 2 kB; Floating UI,
//! 25 kB) does the four lines that place a box. pygal.js does all of it for SVG that is complete, but only that of pygal, and for a mouse
//! alone: no finger, no keyboard.

mod answer;
mod environment;
mod figures;
mod head;
mod heat;
pub(crate) mod levels;
mod map;
mod matrix;
mod network;
mod objectives;
mod tables;
mod trials;
mod verdicts;

use crate::answer::Answer;
use crate::error::Error;
use crate::html::escape;
use crate::study::Study;
use command::quantity::{counted, trimmed};
use contracts::models::Model;
use results::{Run, Validity};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Where the report goes unless told otherwise.
const NAME: &str = "report.html";

/// Reads a results folder and writes its report, to `out` or into the folder. The `catalogue` lists all architectures in an order
/// that does not change, since what they look like follows from it.
pub fn write(folder: &Path, out: Option<&Path>, catalogue: &[Model]) -> Result<PathBuf, Error> {
    write_run(&results::read(folder)?, out, catalogue)
}

/// Writes the report of a run that has been read, to `out` or into its folder.
pub fn write_run(run: &Run, out: Option<&Path>, catalogue: &[Model]) -> Result<PathBuf, Error> {
    let page = render(run, catalogue)?;
    let path = out.map_or_else(|| run.path.join(NAME), Path::to_path_buf);
    results::write_atomically(&path, page.as_bytes())?;
    Ok(path)
}

/// The report of a run.
pub fn render(run: &Run, catalogue: &[Model]) -> Result<String, Error> {
    let study = Study::new(run, catalogue);
    let (figures, places) = figures::sections(&study)?;
    let mut body = String::new();
    let answer = answer::part(&Answer::of_study(&study))?;
    header(&mut body, run, &answer, &study.complaints());
    body.push_str("<nav aria-label=\"Contents\"><ul>");
    let wire = network::section(run);
    let heat = heat::section(&study);
    let map = map::section(run, catalogue);
    let captured = wire.as_ref().map(|_| ("wire", "On the wire"));
    let mapped = map.as_ref().map(|_| ("map", "The map"));
    let others = [
        ("tables", "Tables"),
        ("trials", "Trials"),
        ("environment", "Environment"),
        ("repeat", "Repeat"),
    ];
    let first = [("verdict", "Verdict")];
    let glance = heat.as_ref().map(|_| ("glance", "At a glance"));
    for (id, title) in first
        .into_iter()
        .chain(glance)
        .chain(places)
        .chain(captured)
        .chain(mapped)
        .chain(others)
    {
        let _ = write!(body, "<li><a href=\"#{id}\">{title}</a></li>");
    }
    body.push_str("</ul></nav>\n");
    body.push_str(&verdicts::section(run));
    body.push_str(&heat.unwrap_or_default());
    body.push_str(&figures);
    body.push_str(&wire.unwrap_or_default());
    body.push_str(&map.unwrap_or_default());
    body.push_str(&tables::section(&study));
    body.push_str(&trials::section(run));
    body.push_str(&environment::section(run));
    body.push_str(&repeat(run));
    Ok(head::page(&run.manifest.name, &body))
}

fn header(out: &mut String, run: &Run, answer: &str, complaints: &[String]) {
    let manifest = &run.manifest;
    let _ = write!(
        out,
        "<header>\n<p class=\"name\">{}</p>\n<h1>{}</h1>\n",
        escape(&manifest.name),
        escape(if manifest.question.is_empty() {
            &manifest.name
        } else {
            &manifest.question
        })
    );
    out.push_str(answer);
    let _ = writeln!(
        out,
        "<p class=\"facts\">{}. {} of {} s each; {}.</p>",
        escape(&manifest.started.replace('T', " ").replace('Z', " UTC")),
        counted(run.trials.len() as u64, "trial"),
        trimmed(manifest.duration_s, 1),
        counts(run)
    );
    if !run.is_complete() {
        let _ = writeln!(
            out,
            "<p class=\"warning\">This run is not finished: {} of {} trials are there.</p>",
            run.trials.len(),
            run.planned()
        );
    }
    let counted = run.trials.iter().filter(|trial| trial.counts()).count();
    if counted * 2 < run.trials.len() {
        let _ = writeln!(
            out,
            "<p class=\"warning\">Only {counted} of {} trials may be believed. What is drawn crossed out may not.</p>",
            run.trials.len()
        );
    }
    for notice in manifest.notices.iter().chain(complaints) {
        let _ = writeln!(out, "<p class=\"warning\">{}</p>", escape(notice));
    }
    out.push_str(&reasoning(&manifest.reasoning));
    out.push_str("</header>\n");
}

/// Why it was asked, for those who want to know.
fn reasoning(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(str::trim);
    let paragraphs = paragraphs.filter(|text| !text.is_empty());
    let paragraphs: String = paragraphs
        .map(|paragraph| format!("<p class=\"reasoning\">{}</p>\n", escape(paragraph)))
        .collect();
    match paragraphs.as_str() {
        "" => String::new(),
        _ => format!("<details><summary>Why this is asked</summary>\n{paragraphs}</details>\n"),
    }
}

/// How many trials came to what, in words.
pub(crate) fn counts(run: &Run) -> String {
    let all = [
        Validity::Valid,
        Validity::Suspect,
        Validity::Invalid,
        Validity::Failed,
    ];
    let counts = all.iter().filter_map(|verdict| {
        let count = run
            .trials
            .iter()
            .filter(|trial| trial.verdict == *verdict)
            .count();
        (count > 0).then(|| format!("{count} {}", verdict.name().to_lowercase()))
    });
    let counts: Vec<String> = counts.collect();
    if counts.is_empty() {
        "none has finished".into()
    } else {
        counts.join(", ")
    }
}

fn repeat(run: &Run) -> String {
    let manifest = &run.manifest;
    let mut out = String::from("<section id=\"repeat\">\n<h2>Repeat</h2>\n");
    let _ = writeln!(
        out,
        "<pre>{}</pre>",
        escape(&command_line(&manifest.command))
    );
    let _ = writeln!(
        out,
        "<details><summary>The experiment, {}</summary>\n<pre>{}</pre></details>\n</section>",
        escape(&manifest.experiment_path),
        escape(&manifest.experiment)
    );
    out
}

/// A command line that a shell reads back as it was.
pub(crate) fn command_line(words: &[String]) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@%+".contains(letter);
    let quoted = words
        .iter()
        .map(|word| match word.is_empty() || !word.chars().all(plain) {
            true => format!("'{}'", word.replace('\'', "'\\''")),
            false => word.clone(),
        });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_back_by_a_shell() {
        let words = ["archbench", "load", "p(99)<10ms", "it's"].map(String::from);
        assert_eq!(
            command_line(&words),
            "archbench load 'p(99)<10ms' 'it'\\''s'"
        );
    }
}
