//! Flags of `archbench serve`, as an experiment writes them.

use serde::Deserialize;

/// Flags: `"--helpers 4 --backlog 128"`, `["--helpers", "4"]` or `{ helpers = 4, backlog = 128 }`. Whether a model has them is
/// asked of its command line.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flags(pub Vec<String>);

impl<'de> Deserialize<'de> for Flags {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        const FORM: &str =
            "options are a string, a list of strings, or a table like { helpers = 4 }";
        let mut flags = Vec::new();
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => flags.extend(text.split_whitespace().map(str::to_owned)),
            toml::Value::Array(words) => {
                for word in words {
                    flags.push(scalar(&word).ok_or_else(|| D::Error::custom(FORM))?);
                }
            }
            toml::Value::Table(table) => {
                for (key, value) in table {
                    flags.push(format!("--{}", key.replace('_', "-")));
                    match value {
                        toml::Value::Boolean(true) => {}
                        value => flags.push(scalar(&value).ok_or_else(|| D::Error::custom(FORM))?),
                    }
                }
            }
            _ => return Err(D::Error::custom(FORM)),
        }
        Ok(Self(flags))
    }
}

/// A single value as text.
pub(crate) fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(switch) => Some(if *switch { "on" } else { "off" }.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Holder {
        options: Flags,
    }

    #[test]
    fn three_ways_to_write_them() {
        for text in [
            "options = '--helpers 4  --name-cache 0'",
            "options = ['--helpers', 4, '--name-cache', '0']",
            "options = { helpers = 4, name_cache = 0 }",
        ] {
            let Flags(flags) = toml::from_str::<Holder>(text).unwrap().options;
            assert_eq!(flags, ["--helpers", "4", "--name-cache", "0"], "{text}");
        }
        assert!(toml::from_str::<Holder>("options = 4").is_err());
        assert!(toml::from_str::<Holder>("options = [[1]]").is_err());
    }
}
