//! What other programs write otherwise than ours, and mean the same by.

use serde::{Deserialize, Deserializer, de};
use serde_json::Number;

/// The largest number up to which every whole one has a double of its own.
const MAX: f64 = 9_007_199_254_740_992.0;

/// Reads a count that may be missing: `3`, `3.0` or `null`.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let number = Option::<Number>::deserialize(deserializer)?;
    number
        .map(|number| whole(&number).ok_or_else(|| unfit(&number)))
        .transpose()
}

/// Reads something that may be `null`, which is the same as nothing.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn whole(number: &Number) -> Option<u64> {
    number.as_u64().or_else(|| {
        let value = number.as_f64()?;
        (value.fract() == 0.0 && (0.0..=MAX).contains(&value)).then_some(value as u64)
    })
}

fn unfit<E: de::Error>(number: &Number) -> E {
    E::custom(format_args!(
        "expected a whole number from 0 on, found {number}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_may_have_a_point_and_nothing_behind_it() {
        let read = |text: &str| {
            count(&mut serde_json::Deserializer::from_str(text)).map_err(|error| error.to_string())
        };
        assert_eq!(read("3"), Ok(Some(3)));
        assert_eq!(read("3.0"), Ok(Some(3)));
        assert_eq!(read("null"), Ok(None));
        assert_eq!(read("18446744073709551615"), Ok(Some(u64::MAX)));
        for text in ["-1", "0.5", "1e300"] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with("expected a whole number"), "{error}");
        }
    }
}
