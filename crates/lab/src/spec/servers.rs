//! Who serves in an experiment.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::flags::Flags;

/// The architectures of an experiment.
#[derive(Debug, Clone)]
pub enum Models {
    /// All that there are.
    All,
    /// One of each family, as the catalogue chooses.
    Families,
    /// These.
    Some(Vec<Model>),
}

/// One architecture, perhaps with flags of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// As `archbench serve --model` calls it.
    pub model: String,
    /// What cells call it; the model's name if not given.
    pub name: Option<String>,
    /// Its flags.
    #[serde(default)]
    pub options: Flags,
    /// As the catalogue has it, once that was asked.
    #[serde(skip)]
    pub family: String,
    /// Likewise: it serves at a network interface of its own and nowhere else.
    #[serde(skip)]
    pub takes_interface: bool,
}

/// A server that is not ours.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Foreign {
    /// `external/NAME.toml` beside the experiment says how it is started.
    pub external: String,
    /// What cells call it; NAME if not given.
    pub name: Option<String>,
    /// Values for its templates.
    #[serde(default)]
    pub values: BTreeMap<String, toml::Value>,
}

impl Default for Models {
    fn default() -> Self {
        Self::Some(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Models {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let entry = |value: toml::Value| match value {
            toml::Value::String(model) => Ok(Model::named(model)),
            table => Model::deserialize(table).map_err(|error| D::Error::custom(error.message())),
        };
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(all) if all == "all" => Ok(Self::All),
            toml::Value::String(families) if families == "families" => Ok(Self::Families),
            toml::Value::Array(models) => Ok(Self::Some(
                models.into_iter().map(entry).collect::<Result<_, _>>()?,
            )),
            _ => Err(D::Error::custom(
                "models is \"all\", \"families\" or a list of names and tables",
            )),
        }
    }
}

impl Model {
    /// The architecture of that name, without flags.
    pub fn named(model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            ..Self::default()
        }
    }

    /// What cells call it.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.model)
    }
}

impl Foreign {
    /// What cells call it.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.external)
    }
}
