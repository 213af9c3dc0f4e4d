//! The page of the contracts has every key of the files that people write, no other, and examples that can be read.

use std::collections::BTreeSet;
use std::path::Path;

use lab::spec::external::Definition;
use lab::spec::{Disk, Expect, Experiment, Foreign, Host, Load, Model, Network, Sweep, Variant};
use serde::Deserialize;
use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

const PAGE: &str = include_str!("../../contracts/CONTRACTS.md");

/// Asked for a struct, it notes which fields that has.
struct Asked<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("this is no struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("its fields are all that is wanted"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

fn fields<T: for<'de> Deserialize<'de>>() -> BTreeSet<String> {
    let mut fields: &'static [&'static str] = &[];
    assert!(T::deserialize(Asked(&mut fields)).is_err());
    assert!(!fields.is_empty(), "not a struct");
    fields.iter().map(|field| (*field).to_owned()).collect()
}

/// The keys of the table under a heading.
fn documented(heading: &str) -> BTreeSet<String> {
    let start = format!("\n### {heading}\n");
    let section = PAGE
        .split_once(&start)
        .unwrap_or_else(|| panic!("no {heading}"))
        .1;
    let section = section.split("\n#").next().unwrap_or_default();
    let keys = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    keys.map(|(key, _)| key.to_owned()).collect()
}

#[test]
fn every_key_is_in_the_page_and_nothing_else() {
    for (heading, fields) in [
        ("Experiment", fields::<Experiment>()),
        ("models", fields::<Model>()),
        ("server", fields::<Foreign>()),
        ("load", fields::<Load>()),
        ("sweep", fields::<Sweep>()),
        ("sweep.option", fields::<Variant>()),
        ("sweep.disk", fields::<Disk>()),
        ("network", fields::<Network>()),
        ("hosts.server, hosts.generators", fields::<Host>()),
        ("expect", fields::<Expect>()),
        ("external/NAME.toml", fields::<Definition>()),
    ] {
        assert_eq!(documented(heading), fields, "{heading}");
    }
}

#[test]
fn no_heading_of_keys_is_left_out_of_the_test() {
    let headings = PAGE.lines().filter_map(|line| line.strip_prefix("### "));
    assert_eq!(headings.count(), 11);
}

#[test]
fn its_examples_are_read() {
    let block = |after: &str| {
        let rest = PAGE
            .split_once(after)
            .unwrap_or_else(|| panic!("no {after}"))
            .1;
        let start = rest.split_once("```toml\n").expect("a block").1;
        start.split_once("```").expect("its end").0.to_owned()
    };
    let experiment = block("## The experiment file");
    Experiment::parse(&experiment, Path::new("CONTRACTS.md")).expect("an experiment");
    toml::from_str::<Definition>(&block("### external/NAME.toml")).expect("a definition");
}

#[test]
fn the_placeholders_are_all_there() {
    for name in lab::spec::external::SERVER
        .iter()
        .chain(&lab::spec::external::GENERATOR)
    {
        assert!(PAGE.contains(&format!("`@{name}@`")), "{name}");
    }
}
