//! `archbench completions` and `archbench man`: the command line as shells and readers of manuals want it.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use command::output;

use crate::catalogue::{CATALOGUE, Entry};
use crate::{Failure, grammar, serve};

/// Print a script that makes a shell complete commands and options, those of every model too
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  archbench completions bash > ~/.local/share/bash-completion/completions/archbench
  archbench completions zsh > ~/.zfunc/_archbench      # a folder of fpath
  archbench completions fish > ~/.config/fish/completions/archbench.fish")]
pub(crate) struct Completions {
    /// For which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Write the manual: a page for each command, and one for each model
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  archbench man ~/.local/share/man/man1    # man archbench, man archbench-load, man archbench-serve-seda")]
pub(crate) struct Pages {
    /// Where to put them; made if need be
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        output::write(None, &completions(self.shell))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Pages {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let failed = |error| output::cannot_write(&self.directory, &error);
        std::fs::create_dir_all(&self.directory).map_err(failed)?;
        for (name, page) in pages()? {
            output::replace(&self.directory.join(name), &page).map_err(failed)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A shell asks before it is known which model will serve, so it is told the options of all.
fn completions(shell: Shell) -> Vec<u8> {
    let mut command = grammar(|subcommand| match subcommand.name {
        "serve" => serve::of_all_models(),
        _ => (subcommand.grammar)(&[]),
    });
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "archbench", &mut script);
    script
}

/// Every page, and the name of its file.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut whole = grammar(|subcommand| match subcommand.name {
        "serve" => serve::of_every_model(),
        _ => (subcommand.grammar)(&[]),
    });
    whole = whole.disable_help_subcommand(true);
    whole.build();
    let mut pages = vec![page(&whole, "", &[])?];
    for command in whole.get_subcommands() {
        let see_also = match command.get_name() {
            "serve" => CATALOGUE.iter().map(name_of).collect(),
            _ => Vec::new(),
        };
        pages.push(page(command, "", &see_also)?);
    }
    for entry in CATALOGUE {
        let command = Command::new(entry.name)
            .display_name(name_of(entry))
            .bin_name(format!("archbench serve --model {}", entry.name))
            .about(entry.summary)
            .long_about("What every model has is in archbench-serve(1).")
            .version(env!("CARGO_PKG_VERSION"))
            .disable_help_flag(true)
            .disable_version_flag(true)
            .args(entry.options());
        pages.push(page(
            &command,
            entry.diagram,
            &["archbench-serve".to_owned()],
        )?);
    }
    Ok(pages)
}

/// The name of the page about a model.
fn name_of(entry: &Entry) -> String {
    format!("archbench-serve-{}", entry.name)
}

/// A page about a command, with a diagram if it has one, and the file's name.
fn page(command: &Command, diagram: &str, see_also: &[String]) -> io::Result<(String, Vec<u8>)> {
    let version = format!("archbench {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(version);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command
        .get_arguments()
        .any(|argument| !argument.is_hide_set())
    {
        man.render_options_section(&mut page)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let notes = command.get_after_long_help().or(command.get_after_help());
    let notes = notes.map_or(String::new(), ToString::to_string);
    for (heading, text) in [("DIAGRAM", diagram), ("NOTES", &notes)] {
        as_it_stands(heading, text).to_writer(&mut page)?;
    }
    if !see_also.is_empty() {
        let mut roff = Roff::new();
        let pages: Vec<String> = see_also.iter().map(|page| format!("{page}(1)")).collect();
        roff.control("SH", ["SEE ALSO"]);
        roff.text([roman(pages.join(", "))]);
        roff.to_writer(&mut page)?;
    }
    Ok((man.get_filename(), page))
}

/// A section whose lines are not filled: columns and diagrams stay what they are.
fn as_it_stands(heading: &str, text: &str) -> Roff {
    let mut roff = Roff::new();
    if !text.is_empty() {
        roff.control("SH", [heading]);
        roff.control("nf", []);
        for line in text.trim_matches('\n').lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::COMMANDS;
    use clap::ValueEnum;

    /// The long options of a command that are shown.
    fn options<'a>(arguments: impl Iterator<Item = &'a clap::Arg>) -> Vec<String> {
        let shown = arguments.filter(|argument| !argument.is_hide_set());
        shown
            .filter_map(|argument| argument.get_long().map(str::to_owned))
            .collect()
    }

    #[test]
    fn shells_complete_every_command_and_every_option_of_every_model() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(completions(*shell)).expect("text");
            for command in COMMANDS {
                assert!(script.contains(command.name), "{shell}: {}", command.name);
                for option in options((command.grammar)(&[]).get_arguments()) {
                    assert!(script.contains(&option), "{shell}: {option}");
                }
            }
            for entry in CATALOGUE {
                for option in options(entry.options().iter()) {
                    assert!(
                        script.contains(&option),
                        "{shell}: {}: {option}",
                        entry.name
                    );
                }
            }
        }
    }

    #[test]
    fn there_is_a_page_for_every_command_and_every_model_with_all_its_options() {
        let pages = pages().expect("pages");
        let page = |name: &str| {
            let (_, page) = pages.iter().find(|page| page.0 == name).expect(name);
            String::from_utf8(page.clone())
                .expect("text")
                .replace("\\-", "-")
        };
        assert_eq!(pages.len(), 1 + COMMANDS.len() + CATALOGUE.len());
        let first = page("archbench.1");
        for command in COMMANDS {
            let name = format!("archbench-{}", command.name);
            assert!(first.contains(&name), "{name}");
            let page = page(&format!("{name}.1"));
            let own = match command.name {
                "serve" => serve::of_every_model(),
                _ => (command.grammar)(&[]),
            };
            for option in options(own.get_arguments()) {
                assert!(page.contains(&format!("--{option}")), "{name}: {option}");
            }
        }
        let serve = page("archbench-serve.1");
        for entry in CATALOGUE {
            let name = name_of(entry);
            assert!(serve.contains(&name), "{name}");
            let page = page(&format!("{name}.1"));
            for option in options(entry.options().iter()) {
                assert!(page.contains(&format!("--{option}")), "{name}: {option}");
                assert!(
                    !serve.contains(&format!("--{option}\\")),
                    "{name}: {option}"
                );
            }
        }
    }
}
