//! A work on its way to where its memory is not: as a copy, or as bytes.
//!
//! A file that is open is where it is. Whoever sends it elsewhere sends a number that stands for it; here it stays beside the bytes, as it
//! would in a table of the machine that has it.

use std::io;
use std::sync::Arc;

use files::{Delivery, Metadata, Missing};

use super::{Body, Document, Operation, Outcome, Work};
use crate::document::Entry;
use crate::setup::describe;

/// What stays behind when a work is made bytes of: the open file, and what cannot be made bytes of at all.
#[derive(Default)]
pub struct Left {
    entry: Option<Entry>,
    other: Option<Operation>,
}

/// What the bytes begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Find,
    Load,
    Found,
    Missing,
    InMemory,
    InFile,
    Unreadable,
    Refused,
    Defect,
    Other,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Find,
        Self::Load,
        Self::Found,
        Self::Missing,
        Self::InMemory,
        Self::InFile,
        Self::Unreadable,
        Self::Refused,
        Self::Defect,
        Self::Other,
    ];
}

const MISSING: [Missing; 5] = [
    Missing::NotFound,
    Missing::Forbidden,
    Missing::NeedsSlash,
    Missing::Busy,
    Missing::Failed,
];

/// What the system says where an error does not come from it (EIO).
const UNKNOWN_ERROR: i32 = 5;

impl Work {
    /// The same with its bytes wanted in memory of ours, for whoever hands them on from there.
    pub fn in_memory(mut self) -> Self {
        if let Operation::Load { delivery, .. } = &mut self.operation {
            *delivery = Delivery::Memory;
        }
        self
    }

    /// The same in memory of its own.
    pub fn copied(self) -> Self {
        let operation = match self.operation {
            Operation::Find { path, directory } => Operation::Find {
                path: path.clone(),
                directory,
            },
            Operation::Ready(Outcome::Found(Ok(document))) => {
                let fresh = Some(Box::new(document.entity().clone()));
                let entry = document.entry;
                Operation::Ready(Outcome::Found(Ok(Document { entry, fresh })))
            }
            Operation::Ready(Outcome::Loaded(Ok(Body::Memory { bytes, start }))) => {
                let bytes = Arc::from(&bytes[..]);
                Operation::Ready(Outcome::Loaded(Ok(Body::Memory { bytes, start })))
            }
            other => other,
        };
        Self { operation, ..self }
    }

    /// Appends the bytes that it takes elsewhere.
    pub fn encode(self, bytes: &mut Vec<u8>) -> Left {
        let mut left = Left::default();
        bytes.extend(self.stream.to_le_bytes());
        bytes.push(self.prepared);
        let mut begin = |kind: Kind| bytes.push(kind as u8);
        match self.operation {
            Operation::Find { path, directory } => {
                begin(Kind::Find);
                bytes.push(directory.into());
                put_bytes(bytes, &path);
            }
            Operation::Load {
                entry,
                range,
                delivery,
            } => {
                begin(Kind::Load);
                bytes.push((delivery == Delivery::Memory).into());
                bytes.extend(range.start.to_le_bytes());
                bytes.extend(range.end.to_le_bytes());
                left.entry = Some(entry);
            }
            Operation::Ready(Outcome::Found(Ok(document))) => {
                begin(Kind::Found);
                let metadata = document.entry.metadata();
                put_bytes(bytes, metadata.name);
                bytes.extend(metadata.len.to_le_bytes());
                for (s, ns) in [metadata.modified, metadata.changed] {
                    bytes.extend(s.to_le_bytes());
                    bytes.extend(ns.to_le_bytes());
                }
                bytes.extend(metadata.revision.to_le_bytes());
                left.entry = Some(document.entry);
            }
            Operation::Ready(Outcome::Found(Err(missing))) => {
                begin(Kind::Missing);
                let number = MISSING.iter().position(|known| *known == missing);
                bytes.push(number.unwrap_or(MISSING.len() - 1) as u8);
            }
            Operation::Ready(Outcome::Loaded(Ok(Body::Memory { bytes: body, start }))) => {
                begin(Kind::InMemory);
                bytes.extend(start.to_le_bytes());
                put_bytes(bytes, &body);
            }
            Operation::Ready(Outcome::Loaded(Ok(Body::File))) => begin(Kind::InFile),
            Operation::Ready(Outcome::Loaded(Err(error))) => {
                begin(Kind::Unreadable);
                let number = error.raw_os_error().unwrap_or(UNKNOWN_ERROR);
                bytes.extend(number.to_le_bytes());
            }
            Operation::Ready(Outcome::Refused) => begin(Kind::Refused),
            Operation::Ready(Outcome::Defect) => begin(Kind::Defect),
            other => {
                begin(Kind::Other);
                left.other = Some(other);
            }
        }
        left
    }

    /// What was [encoded](Self::encode); none of other bytes.
    pub fn decode(bytes: &[u8], left: Left) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        let stream = u32::from_le_bytes(bytes.array()?);
        let [prepared, kind] = bytes.array()?;
        let operation = match *Kind::ALL.get(usize::from(kind))? {
            Kind::Find => Operation::Find {
                directory: bytes.flag()?,
                path: bytes.counted()?.to_vec(),
            },
            Kind::Load => Operation::Load {
                delivery: match bytes.flag()? {
                    true => Delivery::Memory,
                    false => Delivery::PageCache,
                },
                range: bytes.u64()?..bytes.u64()?,
                entry: left.entry?,
            },
            Kind::Found => {
                let metadata = Metadata {
                    name: bytes.counted()?,
                    len: bytes.u64()?,
                    modified: bytes.time()?,
                    changed: bytes.time()?,
                    revision: bytes.u64()?,
                };
                let fresh = Some(Box::new(describe(&metadata)));
                let entry = left.entry?;
                Operation::Ready(Outcome::Found(Ok(Document { entry, fresh })))
            }
            Kind::Missing => {
                let [number] = bytes.array()?;
                let missing = *MISSING.get(usize::from(number))?;
                Operation::Ready(Outcome::Found(Err(missing)))
            }
            Kind::InMemory => {
                let start = bytes.u64()?;
                let bytes = Arc::from(bytes.counted()?);
                Operation::Ready(Outcome::Loaded(Ok(Body::Memory { bytes, start })))
            }
            Kind::InFile => Operation::Ready(Outcome::Loaded(Ok(Body::File))),
            Kind::Unreadable => {
                let error = io::Error::from_raw_os_error(i32::from_le_bytes(bytes.array()?));
                Operation::Ready(Outcome::Loaded(Err(error)))
            }
            Kind::Refused => Operation::Ready(Outcome::Refused),
            Kind::Defect => Operation::Ready(Outcome::Defect),
            Kind::Other => left.other?,
        };
        Some(Self {
            stream,
            operation,
            prepared,
        })
    }
}

/// Bytes behind their number.
fn put_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    into.extend((bytes.len() as u64).to_le_bytes());
    into.extend_from_slice(bytes);
}

/// What is left to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn flag(&mut self) -> Option<bool> {
        let [flag] = self.array()?;
        Some(flag != 0)
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.array()?))
    }

    fn time(&mut self) -> Option<(i64, u32)> {
        let s = i64::from_le_bytes(self.array()?);
        Some((s, u32::from_le_bytes(self.array()?)))
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.u64()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::work::Done;

    fn ready(outcome: Outcome) -> Work {
        Work::new(7, Operation::Ready(outcome))
    }

    /// What comes of it when it has been made bytes of and read again.
    fn carried(work: Work) -> Work {
        let mut bytes = vec![1, 2, 3];
        let left = work.encode(&mut bytes);
        for end in 3..bytes.len() {
            assert!(Work::decode(&bytes[3..end], Left::default()).is_none());
        }
        Work::decode(&bytes[3..], left).expect("it was encoded")
    }

    #[test]
    fn what_is_looked_for_and_what_came_of_it_are_read_back() {
        let find = carried(Work::find(7, b"a/b.txt".to_vec(), true));
        let Operation::Find { path, directory } = find.operation else {
            panic!("something else");
        };
        assert_eq!(
            (find.stream, &path[..], directory),
            (7, &b"a/b.txt"[..], true)
        );
        let text = |work: Work| {
            let Operation::Ready(outcome) = work.operation else {
                panic!("something else");
            };
            format!("{:?}", Done::new(work.stream, outcome))
        };
        for missing in MISSING {
            let outcome = || ready(Outcome::Found(Err(missing)));
            assert_eq!(text(carried(outcome())), text(outcome()));
        }
        let (bytes, start) = (Arc::from(&b"bytes"[..]), 9);
        let memory = || {
            let bytes = Arc::clone(&bytes);
            ready(Outcome::Loaded(Ok(Body::Memory { bytes, start })))
        };
        let error = || ready(Outcome::Loaded(Err(io::Error::from_raw_os_error(13))));
        let file = || ready(Outcome::Loaded(Ok(Body::File)));
        let plain: [(Work, Work); 5] = [
            (memory(), memory()),
            (error(), error()),
            (file(), file()),
            (ready(Outcome::Refused), ready(Outcome::Refused)),
            (ready(Outcome::Defect), ready(Outcome::Defect)),
        ];
        for (one, other) in plain {
            assert_eq!(text(carried(one)), text(other));
        }
        let copy = memory().copied();
        let Operation::Ready(Outcome::Loaded(Ok(Body::Memory { bytes: copy, .. }))) =
            copy.operation
        else {
            panic!("something else");
        };
        assert!(copy == bytes && !Arc::ptr_eq(&copy, &bytes));
    }
}
