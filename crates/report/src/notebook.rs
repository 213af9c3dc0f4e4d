//! A notebook that goes with a results folder: it loads `trials.csv` and the histogram logs in Python, and draws them anew.
//!
//! Its code is the same for every folder and takes nothing from it but data; what the folder says of itself stands in its text alone.

use crate::error::Error;
use results::Run;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Where the notebook goes unless told otherwise.
const NAME: &str = "explore.ipynb";

/// Cells, each behind a line that begins so (the percent format of notebooks as scripts).
const CELLS: &str = include_str!("notebook/explore.py");
const BEGINS: &str = "# %%";
const IS_TEXT: &str = " [markdown]";

/// Writes the notebook of a run that has been read, to `out` or into its folder.
pub fn write(run: &Run, out: Option<&Path>) -> Result<PathBuf, Error> {
    let text = notebook(run).to_string() + "\n";
    let path = out.map_or_else(|| run.path.join(NAME), Path::to_path_buf);
    results::write_atomically(&path, text.as_bytes())?;
    Ok(path)
}

/// The notebook of a run, as nbformat 4.5 has it.
pub fn notebook(run: &Run) -> Value {
    let mut cells = vec![cell(0, true, &introduction(run))];
    for part in CELLS.split(BEGINS).skip(1) {
        let (text, is_text) = match part.strip_prefix(IS_TEXT) {
            None => (part.trim().to_owned(), false),
            Some(part) => {
                let lines = part.trim().lines();
                let lines = lines.map(|line| line.trim_start_matches('#').trim_start());
                (lines.collect::<Vec<_>>().join("\n"), true)
            }
        };
        cells.push(cell(cells.len(), is_text, &text));
    }
    json!({
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "cells": cells,
    })
}

/// What the folder is, and what the notebook needs.
fn introduction(run: &Run) -> String {
    let manifest = &run.manifest;
    // Indented by four it is shown as it is, whatever is in it.
    let asked = manifest.question.lines();
    let asked: Vec<String> = asked.map(|line| format!("    {line}")).collect();
    format!(
        "# Explore a run\n\n{}\n\nMade by `archbench notebook` from this folder. It needs `pip install pandas matplotlib hdrhistogram`, and is to be run in the folder.",
        asked.join("\n")
    )
}

fn cell(number: usize, is_text: bool, text: &str) -> Value {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let id = format!("cell-{number}");
    match is_text {
        true => json!({"cell_type": "markdown", "id": id, "metadata": {}, "source": lines}),
        false => json!({
            "cell_type": "code", "id": id, "metadata": {}, "source": lines, "execution_count": null, "outputs": []
        }),
    }
}
