//! Limits of a server, as the input chooses them.

use http::Config;

/// Those that a server has by default, every other time; tight ones, with so many bytes and fields of a head; or few requests and short
/// bodies.
pub(crate) fn limits(seed: u32, (max_head, max_fields): (usize, usize)) -> Config {
    match seed % 4 {
        0 | 1 => Config::default(),
        2 => Config {
            max_target: 20,
            max_head,
            max_fields,
            max_body: 150,
            max_ranges: 2,
            ..Config::default()
        },
        _ => Config {
            max_requests_per_connection: 2,
            max_body: 10,
            ..Config::default()
        },
    }
}
