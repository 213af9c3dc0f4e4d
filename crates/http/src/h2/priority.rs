//! Which answer first (RFC 9218).

use crate::semantics::syntax::elements;

/// What a client has said of a request, or what goes without saying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Priority {
    /// From 0, the most urgent, to 7.
    pub(crate) urgency: u8,
    /// It is of use in pieces, beside others.
    pub(crate) incremental: bool,
}

impl Default for Priority {
    fn default() -> Priority {
        Priority {
            urgency: 3,
            incremental: false,
        }
    }
}

impl Priority {
    /// Reads a field's value, a dictionary (RFC 8941, section 3.2); what it does not say is as it goes without saying, and so is what
    /// cannot be understood.
    pub(crate) fn read(value: &[u8]) -> Priority {
        let mut priority = Priority::default();
        for member in elements(value) {
            // Parameters mean nothing here.
            let member = member.split(|&byte| byte == b';').next().unwrap_or(member);
            match member {
                [b'u', b'=', digit @ b'0'..=b'7'] => priority.urgency = digit - b'0',
                b"i" | b"i=?1" => priority.incremental = true,
                b"i=?0" => priority.incremental = false,
                _ => {}
            }
        }
        priority
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let read = |value: &str| {
            let priority = Priority::read(value.as_bytes());
            (priority.urgency, priority.incremental)
        };
        for (value, expected) in [
            ("", (3, false)),
            ("u=0", (0, false)),
            ("u=7, i", (7, true)),
            ("i,u=1", (1, true)),
            ("i=?0", (3, false)),
            ("i=?1;a=b", (3, true)),
            ("u=5;x", (5, false)),
            ("u=8", (3, false)),
            ("u=-1", (3, false)),
            ("u=\"1\"", (3, false)),
            ("U=1", (3, false)),
            ("u=1, u=2", (2, false)),
        ] {
            assert_eq!(read(value), expected, "{value}");
        }
    }
}
