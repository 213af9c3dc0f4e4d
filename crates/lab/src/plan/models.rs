//! What the command line knows of architectures, asked of itself.

use std::path::Path;
use std::process::{Command, Stdio};

use contracts::Document;
use contracts::models::{self, Models};

use crate::Failure;
use crate::spec::{self, Experiment, Model, NetworkCell, NetworkKind};

fn ask(archbench: &Path, arguments: &[&str]) -> Result<std::process::Output, Failure> {
    Command::new(archbench)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run {}: {error}", archbench.display()).into())
}

/// The architectures that an experiment asks for, out of those that there are, each with its family. Names that nobody has stay as
/// they are.
pub fn chosen(wanted: &spec::Models, catalogue: &Models) -> Vec<Model> {
    let model = |listed: &models::Model| Model {
        family: listed.family.clone(),
        takes_interface: listed.takes_interface,
        ..Model::named(&listed.name)
    };
    let listed = catalogue.models.iter();
    match wanted {
        spec::Models::All => listed.map(model).collect(),
        spec::Models::Families => listed
            .filter(|listed| listed.represents_family)
            .map(model)
            .collect(),
        spec::Models::Some(named) => {
            let as_listed = |named: &Model| {
                let mut listed = catalogue.models.iter();
                match listed.find(|listed| listed.name == named.model) {
                    Some(listed) => Model {
                        family: listed.family.clone(),
                        takes_interface: listed.takes_interface,
                        ..named.clone()
                    },
                    None => named.clone(),
                }
            };
            named.iter().map(as_listed).collect()
        }
    }
}

/// What has to be said of those that an experiment leaves out, where it takes one of each family.
pub fn left_out(wanted: &spec::Models, catalogue: &Models) -> Option<String> {
    if !matches!(wanted, spec::Models::Families) {
        return None;
    }
    let others = catalogue
        .models
        .iter()
        .filter(|listed| !listed.represents_family);
    let others: Vec<&str> = others.map(|listed| listed.name.as_str()).collect();
    (!others.is_empty()).then(|| {
        format!(
            "of each family one is taken; left out: {} (models = \"all\" takes every one)",
            others.join(", ")
        )
    })
}

/// Those of `models` that the experiment's network has an interface for, and what has to be said of others: where it asks for all or
/// one of each family, they are left out.
///
/// # Errors
/// That one was asked for by name, and what to do about it.
pub(crate) fn reachable(
    experiment: &Experiment,
    models: &[Model],
) -> Result<(Vec<Model>, Option<String>), String> {
    let mut networks = match &experiment.network {
        Some(network) => network.cells(),
        None => vec![NetworkCell::default()],
    }
    .into_iter();
    if networks.all(|cell| cell.kind == NetworkKind::Veth && cell.link.is_none()) {
        return Ok((models.to_vec(), None));
    }
    let (unreachable, reachable): (Vec<_>, Vec<_>) = models
        .iter()
        .cloned()
        .partition(|model| model.takes_interface);
    let Some(first) = unreachable.first() else {
        return Ok((reachable, None));
    };
    const WHY: &str = "takes an Ethernet interface of its own, which '[network] kind = \"veth\"' without a link gives it";
    match experiment.models {
        spec::Models::Some(_) => Err(format!("model '{}' {WHY}", first.model)),
        _ => Ok((
            reachable,
            Some(format!("{} is left out: it {WHY}", first.model)),
        )),
    }
}

/// The architectures that there are.
///
/// # Errors
/// When the command line does not list any.
pub fn list(archbench: &Path) -> Result<Models, Failure> {
    let output = ask(archbench, &["models", "--output-format", "json"])?;
    let text = String::from_utf8_lossy(&output.stdout);
    let listed = Models::parse(&text);
    let listed =
        listed.map_err(|problem| format!("'{} models': {problem}", archbench.display()))?;
    if listed.models.is_empty() {
        return Err(format!("'{} models' lists no models", archbench.display()).into());
    }
    Ok(listed)
}

/// Checks flags by the code that will read them.
///
/// # Errors
/// What is wrong with them, in its words.
pub fn check(archbench: &Path, model: &str, flags: &[String]) -> Result<(), Failure> {
    let mut arguments = vec!["serve", "--model", model];
    arguments.extend(flags.iter().map(String::as_str));
    // Help comes last, so that everything before it is checked and nothing is served.
    arguments.push("--help");
    let output = ask(archbench, &arguments)?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let shown = lines
        .iter()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .copied();
    let what = shown.collect::<Vec<_>>().join(" / ");
    let with = match flags {
        [] => String::new(),
        flags => format!(" with '{}'", flags.join(" ")),
    };
    let what = what.trim_start_matches("error: ");
    Err(format!("model '{model}'{with}: {what}").into())
}

/// The version, as it says itself.
pub fn version(archbench: &Path) -> Option<String> {
    Some(list(archbench).ok()?.version)
}
