//! The fields that a peer has told to remember (RFC 7541, section 2.3.2).

use std::collections::VecDeque;

/// What a field counts beside its bytes (RFC 7541, section 4.1).
const OVERHEAD: usize = 32;

/// A table of fields, the latest first. It holds on to no more bytes than it may be large, and to none before the first field.
#[derive(Debug)]
pub(crate) struct DynamicTable {
    /// The bytes of all fields, the oldest first; before them may be some of fields that have left.
    bytes: Vec<u8>,
    fields: VecDeque<Field>,
    /// As RFC 7541, section 4.1 counts.
    size: usize,
    most: usize,
    /// The largest that `most` may be.
    limit: usize,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    start: u16,
    name: u16,
    value: u16,
}

impl Field {
    fn len(self) -> usize {
        usize::from(self.name) + usize::from(self.value)
    }
}

impl DynamicTable {
    /// An empty table that is never larger than `limit`, which is at most 64 KiB.
    pub(crate) fn new(limit: usize) -> DynamicTable {
        let limit = limit.min(usize::from(u16::MAX));
        DynamicTable {
            bytes: Vec::new(),
            fields: VecDeque::new(),
            size: 0,
            most: limit,
            limit,
        }
    }

    /// Name and value of the field that came `age` fields before the latest.
    #[inline]
    pub(crate) fn get(&self, age: usize) -> Option<(&[u8], &[u8])> {
        let field = *self.fields.get(self.fields.len().checked_sub(age + 1)?)?;
        let start = usize::from(field.start);
        let bytes = self.bytes.get(start..start + field.len())?;
        Some(bytes.split_at(field.name.into()))
    }

    /// Remembers a field; one that is larger than the table empties it (RFC 7541, section 4.4).
    pub(crate) fn insert(&mut self, name: &[u8], value: &[u8]) {
        let len = name.len() + value.len();
        let size = len + OVERHEAD;
        self.shrink_to(self.most.saturating_sub(size));
        if size > self.most {
            return;
        }
        if self.bytes.len() + len > self.limit {
            self.move_up();
        }
        let room = self.bytes.capacity() - self.bytes.len();
        if room < len {
            let wanted = (2 * self.bytes.capacity()).max(self.bytes.len() + len);
            self.bytes
                .reserve_exact(wanted.clamp(256, self.limit) - self.bytes.len());
        }
        // All of them fit, for the table is no larger than 64 KiB.
        let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        let start = narrow(self.bytes.len());
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(value);
        self.fields.push_back(Field {
            start,
            name: narrow(name.len()),
            value: narrow(value.len()),
        });
        self.size += size;
    }

    /// The peer makes the table so large; `false`: it may not.
    pub(crate) fn resize(&mut self, most: usize) -> bool {
        self.most = most.min(self.limit);
        self.shrink_to(self.most);
        most <= self.limit
    }

    fn shrink_to(&mut self, size: usize) {
        while self.size > size {
            let Some(field) = self.fields.pop_front() else {
                break;
            };
            self.size -= field.len() + OVERHEAD;
        }
        if self.fields.is_empty() {
            self.bytes.clear();
        }
    }

    /// Makes room where fields were that have left.
    fn move_up(&mut self) {
        let start = self.fields.front().map_or(0, |oldest| oldest.start);
        self.bytes.drain(..usize::from(start));
        for field in &mut self.fields {
            field.start -= start;
        }
    }

    /// The memory that it holds on to, in bytes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.fields.capacity() * size_of::<Field>()
    }
}
