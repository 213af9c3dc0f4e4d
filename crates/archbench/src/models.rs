//! `archbench models`: which architectures there are, and how each one works.

use std::fmt::Write;
use std::process::ExitCode;

use arch::nature::Behaviour;
use clap::{Arg, ArgMatches, Command};

use crate::Failure;
use crate::catalogue::{CATALOGUE, Entry};
use crate::output;

pub(crate) fn command() -> Command {
    Command::new("models")
        .about("List the architectures, or show one: its diagram, what blocks where, its options")
        .arg(
            Arg::new("model")
                .value_name("MODEL")
                .value_parser(CATALOGUE.iter().map(|entry| entry.name).collect::<Vec<_>>())
                .help("The architecture to show; without it, all are listed"),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let text = match matches
        .get_one::<String>("model")
        .and_then(|model| Entry::named(model))
    {
        Some(entry) => describe(entry)?,
        None => list()?,
    };
    output::print(text.trim_end());
    Ok(ExitCode::SUCCESS)
}

fn list() -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for entry in CATALOGUE {
        writeln!(text, "{:<10} {}", entry.name, entry.summary)?;
        writeln!(text, "{:<10} {}", "", lineage(entry))?;
        let options: Vec<_> = entry
            .options()
            .iter()
            .filter_map(|option| option.get_long())
            .map(|long| format!("--{long}"))
            .collect();
        if !options.is_empty() {
            writeln!(text, "{:<10} {}", "", options.join(" "))?;
        }
    }
    writeln!(
        text,
        "\n'archbench models MODEL' shows how one works; 'archbench serve --model MODEL' runs it."
    )?;
    Ok(text)
}

/// Its family, whom it answers, and when it was described.
fn lineage(entry: &Entry) -> String {
    let nature = &entry.nature;
    let answers = match nature.predecessors {
        [] => String::new(),
        predecessors => format!(", answers {}", predecessors.join(" and ")),
    };
    let stands = match entry.represents_its_family() {
        true => "represents the family",
        false => "of the family",
    };
    format!("{stands} {}{answers}, {}", nature.family, nature.year)
}

/// What can be seen of a behaviour, in words.
fn facts(behaviour: &Behaviour) -> [(&'static str, String); 5] {
    [
        ("served at a time", behaviour.concurrency.to_string()),
        ("waits for the disk", behaviour.disk_wait.to_string()),
        ("ends with a defect", behaviour.defect.to_string()),
        ("ends with a killed process", behaviour.killed.to_string()),
        (
            "an idle connection keeps",
            behaviour.idle_connection.to_string(),
        ),
    ]
}

fn describe(entry: &Entry) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "{}: {}", entry.name, entry.summary)?;
    writeln!(text, "{}", entry.diagram.trim_end_matches('\n'))?;
    writeln!(text, "\n  {}", lineage(entry))?;
    writeln!(text, "  as in {}", entry.nature.paper)?;
    let default = entry.nature.behaviour;
    for (options, behaviour) in entry.nature.behaviours() {
        let facts = facts(&behaviour).into_iter().zip(facts(&default));
        // Of a variant, what sets it apart.
        let shown = facts.filter(|(own, default)| options.is_empty() || own != default);
        if !options.is_empty() {
            writeln!(text, "\n  With {options}:")?;
        }
        for ((name, fact), _) in shown {
            writeln!(text, "  {name:<26} {fact}")?;
        }
    }
    let options = entry.options();
    if !options.is_empty() {
        writeln!(
            text,
            "\nOptions of {}, beside those that every model has ('archbench serve --help'):\n",
            entry.name
        )?;
    }
    for option in options {
        let value = option
            .get_value_names()
            .and_then(|names| names.first())
            .map_or(String::new(), |name| format!(" <{name}>"));
        writeln!(text, "  --{}{value}", option.get_long().unwrap_or_default())?;
        let default: Vec<_> = option
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy())
            .collect();
        let help = option
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        writeln!(text, "      {help} (default {})", default.join(" "))?;
    }
    Ok(text)
}
