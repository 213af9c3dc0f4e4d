//! Secrets in what is kept: experiments, commands and what programs have said have them, and a results folder is passed on.

use command::secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Error;

/// The same without secrets, which are masked in every text in it: a document as it may be kept.
///
/// # Errors
/// When it is none that can be written.
pub fn masked<T: Serialize + DeserializeOwned>(document: T) -> Result<T, Error> {
    let damaged = |source| Error::Damaged {
        path: "what is to be kept".into(),
        source,
    };
    let mut value = serde_json::to_value(&document).map_err(damaged)?;
    // What has none stays what it is, to the last bit.
    match mask(&mut value) {
        true => serde_json::from_str(&value.to_string()).map_err(damaged),
        false => Ok(document),
    }
}

/// Masks what is secret in it; says whether anything was.
fn mask(value: &mut Value) -> bool {
    match value {
        Value::String(text) => replace(text, secret::masked(text).into_owned()),
        Value::Array(values) => {
            let mut found = false;
            let mut is_secret = false;
            for value in values {
                // The words of a command.
                let is_before = value.as_str().is_some_and(secret::is_before);
                found |= match value {
                    Value::String(text) if is_secret && !text.starts_with('-') => {
                        replace(text, secret::MASK.to_owned())
                    }
                    other => mask(other),
                };
                is_secret = is_before;
            }
            found
        }
        Value::Object(fields) => {
            let values = fields.values_mut();
            values.fold(false, |found, value| mask(value) | found)
        }
        _ => false,
    }
}

fn replace(text: &mut String, masked: String) -> bool {
    let differs = *text != masked;
    *text = masked;
    differs
}
