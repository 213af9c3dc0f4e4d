//! `auth=USER:PASS`: 401 for whoever does not say these (RFC 7617).

use std::fmt;
use std::future::ready;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Status;
use meter::StageCounters;

use super::Filter;
use crate::service::{Answering, Answers, Request, Response};

/// A user and a password, as a request has to have them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials(String);

impl Credentials {
    /// Reads `USER:PASS`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((user, password)) if !user.is_empty() && !password.is_empty() => {
                Ok(Self(STANDARD.encode(text)))
            }
            _ => Err("expected a user and a password".into()),
        }
    }

    /// Whether the value of a field Authorization is right. All of it is looked at, wherever it is wrong: how long that takes tells
    /// nobody how much was right.
    fn are_in(&self, value: &[u8]) -> bool {
        let Some((scheme, given)) = value.split_at_checked(6) else {
            return false;
        };
        let given = given.trim_ascii();
        let differing = given.iter().zip(self.0.bytes());
        let differs = differing.fold(0, |differs, (given, own)| differs | (given ^ own));
        scheme.eq_ignore_ascii_case(b"basic ") && given.len() == self.0.len() && differs == 0
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials")
    }
}

/// Lets those through who know the password.
#[derive(Debug, Clone)]
pub(crate) struct Auth {
    credentials: Credentials,
    stage: StageCounters,
}

impl Auth {
    pub(crate) fn new(credentials: Credentials, stage: StageCounters) -> Self {
        Self { credentials, stage }
    }
}

impl Filter for Auth {
    fn answer(&self, request: Request, next: &mut impl Answers) -> Answering {
        let mut fields = request.fields();
        let is_known = fields.any(|(name, value)| {
            name.eq_ignore_ascii_case(b"authorization") && self.credentials.are_in(value)
        });
        drop(fields);
        if is_known {
            return Box::pin(next.call(request));
        }
        self.stage.rejected(1);
        Box::pin(ready(Ok(Response::Page(Status::Unauthorized))))
    }
}
