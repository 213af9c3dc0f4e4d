//! What a request asks for.

use http::{Missing, Target};

use super::pictures::Pictures;

/// A picture at a size and a quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Variant {
    /// The picture's number.
    pub(crate) picture: usize,
    /// Its width and height, 1 to 8 eighths of the picture's.
    pub(crate) eighths: u8,
    /// The JPEG's quality, 1 to 100.
    pub(crate) quality: u8,
}

/// What is to be answered with, or why that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order(pub(crate) Result<Variant, Missing>);

/// If nothing is said.
const QUALITY: u8 = 75;
const WHOLE: u8 = 8;

impl Order {
    /// `/NAME.jpg?scale=1..8&quality=1..100`, of which parts of the query may be missing, and others be there.
    pub(crate) fn of(target: &Target, pictures: &Pictures) -> Self {
        let mut query = Vec::new();
        target.write_query(&mut query);
        let is_one = !target.is_directory();
        let name = target.path().strip_suffix(b".jpg").filter(|_| is_one);
        let picture = name.and_then(|name| pictures.number(std::str::from_utf8(name).ok()?));
        let variant = picture.and_then(|picture| variant(picture, &query));
        Self(variant.ok_or(Missing::NotFound))
    }
}

fn variant(picture: usize, query: &[u8]) -> Option<Variant> {
    let query = std::str::from_utf8(query).ok()?;
    let mut variant = Variant {
        picture,
        eighths: WHOLE,
        quality: QUALITY,
    };
    let number = |text: &str, most: u8| {
        let number = text.parse().ok();
        number.filter(|number| (1..=most).contains(number))
    };
    for part in query.trim_start_matches('?').split('&') {
        match part.split_once('=') {
            Some(("scale", scale)) => variant.eighths = number(scale, WHOLE)?,
            Some(("quality", quality)) => variant.quality = number(quality, 100)?,
            _ => {}
        }
    }
    Some(variant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_size_and_quality() {
        let read = |query: &str| {
            variant(3, query.as_bytes()).map(|variant| (variant.eighths, variant.quality))
        };
        for (query, expected) in [
            ("", Some((8, 75))),
            ("?", Some((8, 75))),
            ("?scale=1", Some((1, 75))),
            ("?scale=8&quality=100", Some((8, 100))),
            ("?quality=1&scale=3&again=7", Some((3, 1))),
            ("?scale=0", None),
            ("?scale=9", None),
            ("?scale=4/8", None),
            ("?scale=", None),
            ("?scale=-1", None),
            ("?scale=1000000000000000000000", None),
            ("?quality=0", None),
            ("?quality=101", None),
            ("?quality=%37", None),
        ] {
            assert_eq!(read(query), expected, "{query}");
        }
    }
}
