//! HTTP/1.1, on the session and the files, without a socket and on a clock that is told the time: what does not depend on who serves
//! is tried once, and not for each architecture. A trial is called `http1::subject::case`.

mod bodies;
mod changes;
mod connections;
mod cutting;
mod golden;
mod patience;
pub(crate) mod wire;

use crate::site::Site;

/// One thing that the protocol must do.
pub(crate) type Case = (&'static str, fn(&Site));

pub(crate) const SUBJECTS: &[(&str, &[Case])] = &[
    ("golden", golden::CASES),
    ("cutting", cutting::CASES),
    ("connections", connections::CASES),
    ("bodies", bodies::CASES),
    ("patience", patience::CASES),
    ("changes", changes::CASES),
];
