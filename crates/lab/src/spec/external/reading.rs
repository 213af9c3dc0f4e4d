//! Definitions of servers and generators: found, read and checked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{Definition, External, FOLDER, GENERATOR, SERVER, find, placeholders};
use crate::Failure;
use crate::spec::error::{Error, did_you_mean};
use crate::spec::servers::Foreign;

/// Those that an experiment names which was read from `config`, installed or not.
///
/// # Errors
/// What is wrong with a definition.
pub fn read_all(servers: &[Foreign], config: &Path) -> Result<Vec<Arc<External>>, Failure> {
    let folder = config.parent().unwrap_or(Path::new("")).join(FOLDER);
    let read = |asked: &Foreign| External::read(&folder, asked, &SERVER).map(Arc::new);
    servers.iter().map(read).collect()
}

/// The generator that an experiment names which was read from `config`.
///
/// # Errors
/// What is wrong with its definition; that it is not installed.
pub fn read_generator(name: &str, config: &Path) -> Result<Arc<External>, Failure> {
    let folder = config.parent().unwrap_or(Path::new("")).join(FOLDER);
    let asked = Foreign {
        external: name.to_owned(),
        name: None,
        values: BTreeMap::new(),
    };
    let generator = External::read(&folder, &asked, &GENERATOR)?;
    let path = generator.path.display();
    let definition = &generator.definition;
    let serves = definition.reports || !definition.files || generator.urls.is_some();
    if generator.template.is_some() || serves {
        let what = "config, reports, files and urls are for servers; a generator has none of them";
        return Err(format!("{path}: {what}").into());
    }
    if !generator.is_installed() {
        let package = &generator.definition.package;
        return Err(
            format!("the generator {name} is not installed: apt-get install {package}").into(),
        );
    }
    Ok(Arc::new(generator))
}

/// Everything that was read for them, by file.
pub fn texts(externals: &[Arc<External>]) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for one in externals {
        texts.insert(one.path.display().to_string(), one.text.clone());
        for (name, text) in one.template.iter().chain(&one.urls) {
            let path = one.path.with_file_name(name);
            texts.insert(path.display().to_string(), text.clone());
        }
    }
    texts
}

impl External {
    /// The server that `NAME.toml` in `folder` defines, with its values as they are there.
    ///
    /// # Errors
    /// What is wrong with its definition, or that there is none.
    pub fn named(folder: &Path, name: &str) -> Result<Self, Failure> {
        let asked = Foreign {
            external: name.to_owned(),
            name: None,
            values: BTreeMap::new(),
        };
        Self::read(folder, &asked, &SERVER)
    }

    fn read(folder: &Path, asked: &Foreign, given: &[&str]) -> Result<Self, Failure> {
        let path = folder.join(format!("{}.toml", asked.external));
        if !path.exists() {
            return Err(unknown(folder, &asked.external));
        }
        let text = read(&path)?;
        let mut definition: Definition =
            toml::from_str(&text).map_err(|error| Error::toml(&path, &text, &error))?;
        let wrong = |what: String| -> Failure { format!("{}: {what}", path.display()).into() };
        for (name, value) in &asked.values {
            if !definition.values.contains_key(name) {
                let hint = did_you_mean(name, definition.values.keys().map(String::as_str));
                let what = format!("it has no value '{name}' that an experiment could set{hint}");
                return Err(wrong(what));
            }
            definition.values.insert(name.clone(), value.clone());
        }
        let template = |name: &String| Ok::<_, Error>((name.clone(), read(&folder.join(name))?));
        let urls = definition.urls.as_ref().map(template).transpose()?;
        let template = definition.config.as_ref().map(template).transpose()?;
        let empty = |what| wrong(format!("the {what} is empty"));
        let mut program = definition.command.0.first();
        program.ok_or_else(|| empty("command"))?;
        if let Some(build) = &definition.build {
            program = build.0.first();
        }
        let program = program.ok_or_else(|| empty("build"))?;
        let external = Self {
            label: asked.label().into(),
            program: find(program),
            text,
            template,
            urls,
            definition,
            path: path.clone(),
        };
        for (text, place) in external.texts() {
            for name in placeholders(text) {
                // In a value stand the lab's alone, or there would be no end to it.
                let is_of_its_own = place != "a value" && external.value(name).is_some();
                if !given.contains(&name) && !is_of_its_own {
                    return Err(wrong(format!(
                        "{place} has @{name}@, which is neither of the lab's nor in values"
                    )));
                }
            }
        }
        Ok(external)
    }
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Unreadable {
        path: path.into(),
        source,
    })
}

fn unknown(folder: &Path, name: &str) -> Failure {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let there: Vec<String> = entries
        .filter_map(|entry| {
            Some(
                entry
                    .file_name()
                    .to_str()?
                    .strip_suffix(".toml")?
                    .to_owned(),
            )
        })
        .collect();
    let hint = did_you_mean(name, there.iter().map(String::as_str));
    let folder = folder.display();
    format!("there is no {folder}/{name}.toml to say how '{name}' is started{hint}").into()
}
