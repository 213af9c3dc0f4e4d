//! Quantities as experiments write them: `"10s"`, `"64m"`, `5000`, `"5k"`.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use workload::units;

/// One value, or a list: then it is an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMany<T>(pub Vec<T>);

/// A value that is read from a string.
#[derive(Debug, Clone, PartialEq)]
pub struct Text<T>(pub T);

/// Requests or sessions per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(pub f64);

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Duration);

/// How well a figure is to be known, as a share of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision(pub f64);

/// Bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl<'de, T> Deserialize<'de> for OneOrMany<T>
where
    T: serde::de::DeserializeOwned,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let values = match toml::Value::deserialize(deserializer)? {
            toml::Value::Array(values) if values.is_empty() => {
                return Err(D::Error::custom("the list is empty"));
            }
            toml::Value::Array(values) => values,
            value => vec![value],
        };
        let read = |value| {
            T::deserialize(value)
                .map_err(|error: toml::de::Error| D::Error::custom(error.message()))
        };
        Ok(Self(
            values.into_iter().map(read).collect::<Result<_, _>>()?,
        ))
    }
}

impl<'de, T> Deserialize<'de> for Text<T>
where
    T: FromStr,
    T::Err: Display,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// The text of a string, or of a number as people would write it.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Float(number) => Ok(number.to_string()),
        other => Err(serde::de::Error::custom(format!(
            "expected a number or a string, found {}",
            other.type_str()
        ))),
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        units::rate(&text(deserializer)?)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Precision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        units::precision(&text(deserializer)?)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        units::duration(&text(deserializer)?)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        units::size(&text(deserializer)?)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}
