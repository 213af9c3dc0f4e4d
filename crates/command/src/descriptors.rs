//! How many files and sockets a process may have open.

use std::fmt;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The soft limit on descriptors (getrlimit(2), RLIMIT_NOFILE); `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptors {
    /// As it was found.
    pub before: Option<u64>,
    /// As it is.
    pub now: Option<u64>,
}

impl Descriptors {
    /// Raises the soft limit to the hard one, which children inherit. Where the system refuses, it stays as it is.
    pub fn raise() -> Self {
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        let is_raised = setrlimit(Resource::Nofile, raised).is_ok();
        Self {
            before: limit.current,
            now: if is_raised {
                limit.maximum
            } else {
                limit.current
            },
        }
    }
}

/// As people are told of it: `20000 descriptors, raised from 1024`.
impl fmt::Display for Descriptors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let say = |limit: Option<u64>| {
            limit.map_or("any number of".to_owned(), |limit| limit.to_string())
        };
        write!(out, "{} descriptors", say(self.now))?;
        if self.before != self.now {
            write!(out, ", raised from {}", say(self.before))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let raised = Descriptors::raise();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!((raised.now, limit.current), (limit.maximum, limit.maximum));
        let again = Descriptors::raise();
        assert_eq!(again.before, again.now);
        assert!(!again.to_string().contains("raised"));
        let told = Descriptors {
            before: Some(1024),
            now: None,
        };
        assert_eq!(
            told.to_string(),
            "any number of descriptors, raised from 1024"
        );
    }
}
