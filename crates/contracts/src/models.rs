//! Which architectures there are.

use serde::{Deserialize, Serialize};

use crate::{Document, Unknown, lenient};

/// What `archbench models --output-format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Models {
    /// [`Document::SCHEMA`].
    pub schema: String,
    /// The version of the program.
    pub version: String,
    /// All of them, in the order of the catalogue.
    pub models: Vec<Model>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// One architecture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// As `archbench serve --model` calls it.
    pub name: String,
    /// What it is, in a line.
    pub summary: String,
    /// How it works, drawn in characters.
    #[serde(default)]
    pub diagram: String,
    /// The kind of thing that runs the steps of a request.
    #[serde(default)]
    pub family: String,
    /// Whether it stands for its family where one of each is taken.
    #[serde(default)]
    pub represents_family: bool,
    /// Whose network stack its connections go through, in words.
    #[serde(default)]
    pub stack: String,
    /// Whether it takes a network interface, Ethernet's, whole: then it serves at no other address.
    #[serde(default)]
    pub takes_interface: bool,
    /// The architectures whose shortcoming it answers, by name.
    #[serde(default)]
    pub predecessors: Vec<String>,
    /// Where it is described.
    #[serde(default)]
    pub paper: String,
    /// When that was published.
    #[serde(default, deserialize_with = "lenient::count")]
    pub year: Option<u64>,
    /// How it behaves: first with the options that it has if none are given, then with others.
    #[serde(default)]
    pub behaviours: Vec<Behaviour>,
    /// The options that it has beside those of every model.
    #[serde(default)]
    pub options: Vec<ModelOption>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// How an architecture behaves with some options, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Behaviour {
    /// The options, as they are typed; empty where none are.
    pub options: String,
    /// Which connections it serves at a time.
    pub concurrency: String,
    /// Who waits while a file is found or read on the disk.
    pub disk_wait: String,
    /// What ends where the code that serves a request panics.
    pub defect: String,
    /// What ends where a process that serves is killed.
    pub killed: String,
    /// How the requests of one connection fare that come together, as over HTTP/2.
    pub requests: String,
    /// What a connection costs on which nothing happens.
    pub idle_connection: String,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// An option of one architecture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelOption {
    /// Without dashes, like `helpers`.
    pub name: String,
    /// What it takes, like `N`; `None` for a switch.
    pub value: Option<String>,
    /// What it is where it is not given; `None` where that is nothing.
    pub default: Option<String>,
    /// What it does.
    pub help: String,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Document for Models {
    const SCHEMA: &'static str = "archbench.models/1";
}
