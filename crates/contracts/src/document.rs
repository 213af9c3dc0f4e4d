//! JSON objects that say which schema they are of.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A JSON object whose `schema` names what it is and its version, like `archbench.load/1`.
pub trait Document: Serialize + DeserializeOwned {
    /// The schema that is written and read here.
    const SCHEMA: &'static str;

    /// Reads one from its text.
    ///
    /// # Errors
    /// When it is no JSON, of another schema, or has a field that is not what it should be.
    fn parse(text: &str) -> Result<Self, Malformed> {
        parse(text)
    }

    /// As indented JSON with a line feed at its end.
    ///
    /// # Errors
    /// When it cannot be JSON.
    fn pretty(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

/// Reads a document. What is read in several crates and is large has a [`parse`](Document::parse) that is compiled in this one, once.
pub(crate) fn parse<D: Document>(text: &str) -> Result<D, Malformed> {
    let value: Value = serde_json::from_str(text).map_err(Malformed::Syntax)?;
    let found = value
        .get("schema")
        .and_then(Value::as_str)
        .unwrap_or("none");
    if found != D::SCHEMA {
        return Err(Malformed::Schema {
            expected: D::SCHEMA,
            found: found.to_owned(),
        });
    }
    serde_json::from_str(text).map_err(Malformed::Field)
}

/// A JSON object on a line of its own that says of which event it is, like `ready`.
pub trait Line: Serialize + DeserializeOwned {
    /// The schema that is written and read here; a line may leave it out.
    const SCHEMA: &'static str;
    /// The event.
    const EVENT: &'static str;

    /// Reads the line.
    ///
    /// # Errors
    /// When it is no JSON, another line, or has a field that is not what it should be.
    fn parse(line: &str) -> Result<Self, Malformed> {
        let value: Value = serde_json::from_str(line).map_err(Malformed::Syntax)?;
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        if text("event") != Some(Self::EVENT) {
            return Err(Malformed::Event {
                expected: Self::EVENT,
                found: text("event").unwrap_or("none").to_owned(),
            });
        }
        if let Some(found) = text("schema").filter(|found| *found != Self::SCHEMA) {
            return Err(Malformed::Schema {
                expected: Self::SCHEMA,
                found: found.to_owned(),
            });
        }
        serde_json::from_str(line).map_err(Malformed::Field)
    }

    /// As it is printed.
    ///
    /// # Errors
    /// When it cannot be JSON.
    fn line(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// Why a text is not the document that it should be.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// No JSON, or not all of it.
    #[error("it is no JSON: {0}")]
    Syntax(serde_json::Error),
    /// Another document, or another version of it.
    #[error("it is of schema {found}, and {expected} is read here")]
    Schema {
        /// The one that is read here.
        expected: &'static str,
        /// What it calls itself.
        found: String,
    },
    /// Another event than the one that is due.
    #[error("its event is '{found}', and '{expected}' is due")]
    Event {
        /// What is due.
        expected: &'static str,
        /// What it calls itself.
        found: String,
    },
    /// A field is missing or not what it should be.
    #[error("{0}")]
    Field(serde_json::Error),
}
