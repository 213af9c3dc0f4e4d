//! Options of a model that another option leaves without effect.

use arch::Rule;

use crate::catalogue::{CATALOGUE, Entry};

/// What the help of an option says that it goes with, like `--poller scan` in `…, with --poller scan; a second at most`.
fn said_of(option: &clap::Arg) -> Option<String> {
    let help = option.get_help()?.to_string();
    let (_, with) = help.split_once("with --")?;
    let end = with.find([';', ',', '.', ':', ')']).unwrap_or(with.len());
    let words: Vec<_> = with[..end].split(' ').take(2).collect();
    Some(format!("--{}", words.join(" ")))
}

fn refused(entry: &Entry, typed: &str) -> Option<String> {
    let arguments: Vec<_> = ["serve", "--model", entry.name]
        .into_iter()
        .chain(typed.split_whitespace())
        .map(std::ffi::OsString::from)
        .collect();
    let command = super::command(&arguments);
    let matches = command.try_get_matches_from(&arguments);
    let matches = matches.unwrap_or_else(|error| panic!("{}: {error}", entry.name));
    entry.prepare(&matches).err().map(|error| error.to_string())
}

/// An option with a value that is allowed: its default, or else one.
fn with_value(entry: &Entry, option: &str) -> String {
    if option.contains(' ') {
        return option.to_owned();
    }
    let options = entry.options();
    let known = options
        .iter()
        .find(|known| known.get_long() == option.strip_prefix("--"));
    let known = known.unwrap_or_else(|| panic!("{} has no {option}", entry.name));
    let by_default = known.get_default_values().first();
    let by_default = by_default.and_then(|value| value.to_str().map(str::to_owned));
    let possible = known.get_possible_values();
    let possible = possible.first().map(|value| value.get_name().to_owned());
    let is_url = known
        .get_value_names()
        .is_some_and(|names| names[0] == "URL");
    let any = || if is_url { "http://127.0.0.1:1" } else { "1" }.to_owned();
    let value = by_default.or(possible).unwrap_or_else(any);
    format!("{option} {value}")
}

/// The other value of an option that has several; nothing for one of which it matters that it is given.
fn otherwise(entry: &Entry, option: &str) -> String {
    let Some((name, value)) = option.split_once(' ') else {
        return String::new();
    };
    let options = entry.options();
    let known = options
        .iter()
        .find(|known| known.get_long() == name.strip_prefix("--"))
        .unwrap_or_else(|| panic!("{} has no {name}", entry.name));
    let values = known.get_possible_values();
    let other = values.iter().find(|known| known.get_name() != value);
    format!("{name} {}", other.expect("another").get_name())
}

#[test]
fn an_option_that_another_rules_out_is_refused() {
    let mut rules = 0;
    for entry in CATALOGUE {
        for rule in entry.rules {
            let [option, other] = rule.options();
            let option = with_value(entry, option);
            let (fine, wrong) = match rule {
                Rule::Needs(..) => (with_value(entry, other), otherwise(entry, other)),
                Rule::Excludes(..) => (String::new(), other.to_owned()),
            };
            let both = |other| [option.as_str(), other].map(str::trim).join(" ");
            let (fine, wrong) = (both(fine.as_str()), both(wrong.as_str()));
            assert_eq!(refused(entry, &fine), None, "{}: {fine}", entry.name);
            let said = refused(entry, &wrong).expect("an error");
            for part in rule.options() {
                assert!(said.contains(part), "{}: {said}", entry.name);
            }
            rules += 1;
        }
    }
    assert!(rules > 0);
}

#[test]
fn what_the_help_of_an_option_says_that_it_goes_with_is_a_rule() {
    for entry in CATALOGUE {
        for option in entry.options() {
            let name = format!("--{}", option.get_long().unwrap_or_default());
            let of_option = |rule: &&Rule| {
                let (first, _) = rule.options()[0]
                    .split_once(' ')
                    .unwrap_or((rule.options()[0], ""));
                first == name
            };
            let ruled = entry.rules.iter().find(of_option);
            let ruled = ruled.map(|rule| rule.options()[1].to_owned());
            assert_eq!(ruled, said_of(&option), "{}: {name}", entry.name);
        }
    }
}
