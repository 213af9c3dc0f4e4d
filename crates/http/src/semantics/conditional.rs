//! Preconditions: what a request makes its method depend on (RFC 9110, section 13).

use crate::buffer::reuse;
use crate::semantics::date;
use crate::semantics::entity::Entity;

/// A field that takes part in deciding which bytes are wanted, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    IfMatch,
    IfUnmodifiedSince,
    IfNoneMatch,
    IfModifiedSince,
    IfRange,
    Range,
}

/// The preconditions of a request, and its ranges, kept as they came until the file is known that
/// they are about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    text: Vec<u8>,
    /// Each line's name, and where in the text its value ends.
    lines: Vec<(Name, usize)>,
}

impl Conditions {
    pub(crate) fn push(&mut self, name: Name, value: &[u8]) {
        self.text.extend_from_slice(value);
        self.lines.push((name, self.text.len()));
    }

    pub(crate) fn clear(&mut self) {
        reuse(&mut self.text);
        reuse(&mut self.lines);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The memory that this holds on to, in bytes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity() + self.lines.capacity() * size_of::<(Name, usize)>()
    }

    /// The values of all lines of that name.
    fn all(&self, wanted: Name) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.lines.iter().filter_map(move |&(name, end)| {
            let value = &self.text[start..end];
            start = end;
            (name == wanted).then_some(value)
        })
    }

    fn has(&self, wanted: Name) -> bool {
        self.lines.iter().any(|&(name, _)| name == wanted)
    }

    /// The value of a field that can occur only once. `None`: it is not there, or it is there
    /// twice.
    fn only(&self, wanted: Name) -> Option<&[u8]> {
        let mut values = self.all(wanted);
        values.next().filter(|_| values.next().is_none())
    }

    /// The value of Range.
    pub(crate) fn range(&self) -> Option<&[u8]> {
        self.only(Name::Range)
    }

    /// What the request comes to for `entity`, in the order of RFC 9110, 13.2.2. `now`: see
    /// [`Entity::modified`].
    pub(crate) fn evaluate(&self, entity: &Entity, now: Option<u64>) -> Outcome<'_> {
        if self.has(Name::IfMatch) {
            if !self
                .all(Name::IfMatch)
                .any(|list| matches(list, entity, Comparison::Strong))
            {
                return Outcome::Failed;
            }
        } else if let Some(false) = self.unmodified_since(Name::IfUnmodifiedSince, entity, now) {
            return Outcome::Failed;
        }
        if self.has(Name::IfNoneMatch) {
            if self
                .all(Name::IfNoneMatch)
                .any(|list| matches(list, entity, Comparison::Weak))
            {
                return Outcome::NotModified;
            }
        } else if let Some(true) = self.unmodified_since(Name::IfModifiedSince, entity, now) {
            return Outcome::NotModified;
        }
        let range = self.range();
        Outcome::Perform {
            range: range.filter(|_| self.range_is_current(entity, now)),
            known: self.has(Name::IfRange),
        }
    }

    /// Whether the file has stayed as it is since the date that the field holds. `None`: the field
    /// does not count, because it is no date, or the file has none (RFC 9110, 13.1.3 and 13.1.4).
    fn unmodified_since(&self, name: Name, entity: &Entity, now: Option<u64>) -> Option<bool> {
        let value = self.only(name)?;
        if Some(value) == entity.last_modified() {
            return Some(true);
        }
        Some(entity.modified(now)? <= date::parse(value, now)?)
    }

    /// Whether If-Range, if there is one, holds (RFC 9110, 13.1.5).
    fn range_is_current(&self, entity: &Entity, now: Option<u64>) -> bool {
        if !self.has(Name::IfRange) {
            return true;
        }
        let Some(validator) = self.only(Name::IfRange) else {
            return false;
        };
        if validator.starts_with(b"\"") || validator.starts_with(b"W/") {
            return validator == entity.etag();
        }
        // A date must match exactly. It is a strong validator only once its second is over: until
        // then the file could change again without changing its date (RFC 9110, 8.8.2.2).
        match (date::parse(validator, now), entity.modified(None)) {
            (Some(date), Some(modified)) => {
                date == modified && now.is_some_and(|now| modified < now)
            }
            _ => false,
        }
    }
}

/// What a request comes to, all preconditions considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    /// Do it; with the value of Range, if that is to be honoured.
    Perform {
        range: Option<&'a [u8]>,
        /// If-Range was there, and so the client has what it wants a part of.
        known: bool,
    },
    /// 304
    NotModified,
    /// 412
    Failed,
}

/// How entity tags are compared (RFC 9110, 8.8.3.2). Ours are strong: a weak one is never strongly
/// equal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// Whether `entity` is in `list`: `*`, or entity tags with commas between them. What is malformed
/// ends the list.
fn matches(list: &[u8], entity: &Entity, comparison: Comparison) -> bool {
    if list == b"*" {
        return true;
    }
    let mut rest = list;
    loop {
        while let [b' ' | b'\t' | b',', tail @ ..] = rest {
            rest = tail;
        }
        let weak = rest.starts_with(b"W/");
        let tag = if weak { &rest[2..] } else { rest };
        // A tag is never cut at a comma, which can be within the quotes.
        let Some(end) = tag
            .strip_prefix(b"\"")
            .and_then(|opaque| memchr::memchr(b'"', opaque))
        else {
            return false;
        };
        let (tag, tail) = tag.split_at(end + 2);
        if tag == entity.etag() && (!weak || comparison == Comparison::Weak) {
            return true;
        }
        rest = tail;
        if !matches!(rest, [] | [b' ' | b'\t' | b',', ..]) {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::entity::FileState;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const LATER: &str = "Sunday, 06-Nov-94 08:49:38 GMT";
    const NOW: Option<u64> = Some(800_000_000);
    /// What there is to do, apart from whether it is known.
    const WHOLE: Outcome<'static> = Outcome::Perform {
        range: None,
        known: false,
    };
    const PART: Outcome<'static> = Outcome::Perform {
        range: Some(b"bytes=0-1"),
        known: false,
    };

    fn evaluate(conditions: &Conditions, now: Option<u64>) -> Outcome<'_> {
        match conditions.evaluate(&entity(), now) {
            Outcome::Perform { range, known } => {
                assert_eq!(known, conditions.has(Name::IfRange));
                Outcome::Perform {
                    range,
                    known: false,
                }
            }
            other => other,
        }
    }

    fn entity() -> Entity {
        Entity::new(
            b"a.txt",
            FileState {
                len: 10,
                modified: (784_111_777, 5),
                ..FileState::default()
            },
        )
    }

    #[track_caller]
    fn check(fields: &[(Name, &str)], expected: Outcome<'_>) {
        let mut conditions = Conditions::default();
        for (name, value) in fields {
            conditions.push(*name, value.as_bytes());
        }
        assert_eq!(evaluate(&conditions, NOW), expected, "{fields:?}");
    }

    fn etag() -> String {
        String::from_utf8(entity().etag().to_vec()).unwrap()
    }

    #[test]
    fn if_match_compares_strongly() {
        let etag = etag();
        check(&[(Name::IfMatch, "*")], WHOLE);
        check(&[(Name::IfMatch, &etag)], WHOLE);
        check(&[(Name::IfMatch, &format!("\"x\", {etag}"))], WHOLE);
        check(&[(Name::IfMatch, "\"x\""), (Name::IfMatch, &etag)], WHOLE);
        check(&[(Name::IfMatch, &format!("\"a,b\",{etag}"))], WHOLE);
        check(&[(Name::IfMatch, &format!("W/{etag}"))], Outcome::Failed);
        check(&[(Name::IfMatch, "\"x\"")], Outcome::Failed);
        check(&[(Name::IfMatch, "")], Outcome::Failed);
        check(&[(Name::IfMatch, "\"unended")], Outcome::Failed);
        check(&[(Name::IfMatch, "\"")], Outcome::Failed);
        check(&[(Name::IfMatch, "W/")], Outcome::Failed);
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let etag = etag();
        check(&[(Name::IfNoneMatch, "*")], Outcome::NotModified);
        check(&[(Name::IfNoneMatch, &etag)], Outcome::NotModified);
        check(
            &[(Name::IfNoneMatch, &format!("\"x\" , W/{etag}"))],
            Outcome::NotModified,
        );
        check(&[(Name::IfNoneMatch, "\"x\"")], WHOLE);
        check(&[(Name::IfNoneMatch, "x")], WHOLE);
        check(&[(Name::IfNoneMatch, &format!("\"x\"{etag}"))], WHOLE);
    }

    #[test]
    fn dates() {
        check(&[(Name::IfModifiedSince, DATE)], Outcome::NotModified);
        check(&[(Name::IfModifiedSince, LATER)], Outcome::NotModified);
        check(&[(Name::IfModifiedSince, EARLIER)], WHOLE);
        check(&[(Name::IfModifiedSince, "nonsense")], WHOLE);
        check(
            &[(Name::IfModifiedSince, DATE), (Name::IfModifiedSince, DATE)],
            WHOLE,
        );
        check(&[(Name::IfUnmodifiedSince, DATE)], WHOLE);
        check(&[(Name::IfUnmodifiedSince, LATER)], WHOLE);
        check(&[(Name::IfUnmodifiedSince, EARLIER)], Outcome::Failed);
        check(&[(Name::IfUnmodifiedSince, "nonsense")], WHOLE);
    }

    #[test]
    fn entity_tags_win_over_dates() {
        check(
            &[(Name::IfModifiedSince, DATE), (Name::IfNoneMatch, "\"x\"")],
            WHOLE,
        );
        check(
            &[(Name::IfUnmodifiedSince, EARLIER), (Name::IfMatch, "*")],
            WHOLE,
        );
        check(
            &[(Name::IfMatch, "\"x\""), (Name::IfNoneMatch, "*")],
            Outcome::Failed,
        );
        check(
            &[(Name::IfMatch, "*"), (Name::IfNoneMatch, "*")],
            Outcome::NotModified,
        );
    }

    #[test]
    fn if_range_decides_on_the_range_alone() {
        let etag = etag();
        let range = (Name::Range, "bytes=0-1");
        check(&[range], PART);
        check(&[range, range], WHOLE);
        check(&[range, (Name::IfRange, &etag)], PART);
        check(&[range, (Name::IfRange, DATE)], PART);
        check(&[range, (Name::IfRange, LATER)], WHOLE);
        check(&[range, (Name::IfRange, EARLIER)], WHOLE);
        check(&[range, (Name::IfRange, "\"x\"")], WHOLE);
        check(&[range, (Name::IfRange, &format!("W/{etag}"))], WHOLE);
        check(&[range, (Name::IfRange, "nonsense")], WHOLE);
        check(
            &[range, (Name::IfRange, &etag), (Name::IfRange, &etag)],
            WHOLE,
        );
        check(&[(Name::IfRange, &etag)], WHOLE);
    }

    #[test]
    fn a_date_is_no_strong_validator_within_its_second() {
        let mut conditions = Conditions::default();
        conditions.push(Name::Range, b"bytes=0-1");
        conditions.push(Name::IfRange, DATE.as_bytes());
        assert_eq!(evaluate(&conditions, Some(784_111_777)), WHOLE);
        assert_eq!(evaluate(&conditions, Some(784_111_778)), PART);
    }
}
