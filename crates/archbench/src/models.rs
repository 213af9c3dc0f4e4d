//! `archbench models`: which architectures there are, and how each one works.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arch::nature::{Behaviour, Stack};
use clap::{Arg, ArgMatches, Command};
use command::output::{self, Format};
use contracts::models::{self, Model, ModelOption, Models};
use contracts::{Document, Unknown};

use crate::Failure;
use crate::catalogue::{CATALOGUE, Entry};

pub(crate) fn command() -> Command {
    Command::new("models")
        .about("List the architectures, or show one: its diagram, what blocks where, its options")
        .arg(
            Arg::new("model")
                .value_name("MODEL")
                .value_parser(CATALOGUE.iter().map(|entry| entry.name).collect::<Vec<_>>())
                .help("The architecture to show; without it, all are listed"),
        )
        .arg(
            clap::arg!(--tree "Which answers which, as a tree; and where each was best")
                .conflicts_with("model"),
        )
        .arg(
            clap::arg!(--results <DIR> "With --tree: the results that say where each was best [default: results/reference, if it is here]")
                .value_parser(clap::value_parser!(PathBuf))
                .requires("tree"),
        )
        .arg(
            clap::arg!(--"output-format" <FORMAT> "How they are printed; json has all that text has, of all or of one")
                .value_parser(clap::value_parser!(Format))
                .default_value("text"),
        )
        .after_help(
            "Examples:\n  \
             archbench models                                                  all of them, a line each\n  \
             archbench models amped                                            its diagram, and how it behaves\n  \
             archbench models --tree --results results/quick-20250321-140506   where each was best in that run",
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let shown = matches
        .get_one::<String>("model")
        .and_then(|model| Entry::named(model));
    if matches.get_flag("tree") {
        if matches.get_one("output-format") == Some(&Format::Json) {
            return Err(command::usage(
                "--tree is drawn for people; json lists the predecessors of each without it",
            ));
        }
        return tree(matches.get_one::<PathBuf>("results").map(PathBuf::as_path));
    }
    match (matches.get_one("output-format"), shown) {
        (Some(Format::Json), Some(entry)) => {
            output::print_json(document(std::slice::from_ref(entry)).pretty()?)
        }
        (Some(Format::Json), None) => output::print_json(document(CATALOGUE).pretty()?),
        (_, Some(entry)) => output::print(describe(entry)?),
        (_, None) => output::print(list()?),
    }
    Ok(ExitCode::SUCCESS)
}

/// The run that comes with the sources.
const REFERENCE: &str = "results/reference";

/// Prints who answers whom; the `results` say where each was best.
fn tree(results: Option<&Path>) -> Result<ExitCode, Failure> {
    let folder = results.or_else(|| {
        let reference = Path::new(REFERENCE);
        reference.exists().then_some(reference)
    });
    let run = folder.map(results::read).transpose()?;
    let catalogue = all();
    output::print(report::map::Map::of(&catalogue, run.as_ref()));
    match folder {
        Some(folder) => output::print(format_args!("best by {}", folder.display())),
        None => output::print("--results DIR says where each was best"),
    }
    Ok(ExitCode::SUCCESS)
}

/// What programs read.
fn document(entries: &[Entry]) -> Models {
    Models {
        schema: Models::SCHEMA.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        models: entries.iter().map(model).collect(),
        unknown: Unknown::new(),
    }
}

/// Every architecture, in the order of the catalogue.
pub(crate) fn all() -> Vec<Model> {
    CATALOGUE.iter().map(model).collect()
}

fn model(entry: &Entry) -> Model {
    Model {
        name: entry.name.into(),
        summary: entry.summary.into(),
        diagram: entry.diagram.trim_matches('\n').into(),
        family: entry.nature.family.to_string(),
        represents_family: entry.represents_its_family(),
        stack: entry.nature.stack.to_string(),
        takes_interface: matches!(entry.nature.stack, Stack::Own { .. }),
        predecessors: entry
            .nature
            .predecessors
            .iter()
            .map(ToString::to_string)
            .collect(),
        paper: entry.nature.paper.into(),
        year: Some(entry.nature.year.into()),
        behaviours: entry.nature.behaviours().map(behaviour).collect(),
        options: entry.options().iter().map(option).collect(),
        unknown: Unknown::new(),
    }
}

fn behaviour((options, behaviour): (&str, Behaviour)) -> models::Behaviour {
    models::Behaviour {
        options: options.into(),
        concurrency: behaviour.concurrency.to_string(),
        disk_wait: behaviour.disk_wait.to_string(),
        defect: behaviour.defect.to_string(),
        killed: behaviour.killed.to_string(),
        requests: behaviour.requests.to_string(),
        idle_connection: behaviour.idle_connection.to_string(),
        unknown: Unknown::new(),
    }
}

fn option(option: &Arg) -> ModelOption {
    ModelOption {
        name: option.get_long().unwrap_or_default().into(),
        value: value_name(option).map(str::to_owned),
        default: default(option),
        help: help(option),
        unknown: Unknown::new(),
    }
}

/// What is typed behind it, if anything is.
fn value_name(option: &Arg) -> Option<&str> {
    if !option.get_action().takes_values() {
        return None;
    }
    option.get_value_names()?.first().map(|name| name.as_str())
}

fn default(option: &Arg) -> Option<String> {
    let values = option.get_default_values().iter();
    let words: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn help(option: &Arg) -> String {
    option
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default()
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
fn facts(behaviour: &Behaviour) -> [(&'static str, String); 6] {
    [
        ("served at a time", behaviour.concurrency.to_string()),
        ("waits for the disk", behaviour.disk_wait.to_string()),
        ("ends with a defect", behaviour.defect.to_string()),
        ("ends with a killed process", behaviour.killed.to_string()),
        ("requests of a connection", behaviour.requests.to_string()),
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
    let usual = entry.nature.behaviour;
    if entry.nature.stack != Stack::Kernel {
        writeln!(
            text,
            "\n  {:<26} {}",
            "its network stack", entry.nature.stack
        )?;
    }
    for (options, behaviour) in entry.nature.behaviours() {
        let all = facts(&behaviour).into_iter().zip(facts(&usual));
        // Of a variant, what sets it apart.
        let shown = all.filter(|(own, usual)| options.is_empty() || own != usual);
        if !options.is_empty() && behaviour == usual {
            writeln!(text, "\n  With {options}: the same")?;
        } else if !options.is_empty() {
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
        let value = value_name(&option).map_or(String::new(), |name| format!(" <{name}>"));
        writeln!(text, "  --{}{value}", option.get_long().unwrap_or_default())?;
        let default =
            default(&option).map_or(String::new(), |default| format!(" (default {default})"));
        writeln!(text, "      {}{default}", help(&option))?;
        let choices = option.get_possible_values();
        let choices: Vec<_> = choices.iter().map(|choice| choice.get_name()).collect();
        if !choices.is_empty() {
            writeln!(text, "      one of {}", choices.join(", "))?;
        }
    }
    Ok(text)
}
