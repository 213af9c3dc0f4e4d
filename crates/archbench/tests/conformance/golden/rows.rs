//! What is asked, and what becomes of it.

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Kept,
    Closed,
}

/// A request, and what comes of it.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) request: Vec<u8>,
    pub(super) status: u16,
    pub(super) then: Then,
}

/// A row a line, for rustfmt would make six of each: what it is called, what is sent, and the status that comes back.
macro_rules! table {
    ($($name:literal: $sent:literal => $status:literal $($then:ident)?;)*) => {
        [$(($name, $sent, $status $(, $then)?)),*]
    };
}

mod bodies;
mod conditions;
mod fields;
mod paths;
mod request_lines;

/// The rows so far.
struct Rows(Vec<Row>);

impl Rows {
    fn add(&mut self, name: &'static str, request: &[u8], status: u16, then: Then) {
        self.0.push(Row {
            name,
            request: request.to_vec(),
            status,
            then,
        });
    }
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Rows(Vec::new());
    paths::add(&mut rows);
    request_lines::add(&mut rows);
    fields::add(&mut rows);
    bodies::add(&mut rows);
    conditions::add(&mut rows);
    rows.0
}
