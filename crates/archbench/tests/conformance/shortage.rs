//! Descriptors, threads and processes that are not to be had.

mod descriptors;
mod threads;

use crate::case::{Case, case};
use crate::table::Fault;
pub(crate) use threads::{assert_let_go, tasks};

pub(crate) const CASES: &[Case] = &[
    case(
        "of_descriptors_until_others_leave",
        descriptors::of_descriptors_until_others_leave,
    ),
    case(
        "of_descriptors_that_names_hold",
        descriptors::of_descriptors_that_names_hold,
    ),
    case(
        "of_address_space_for_threads",
        threads::of_address_space_for_threads,
    ),
    case(
        "of_descriptors_after_a_thousand_connections",
        descriptors::of_descriptors_after_a_thousand_connections,
    ),
];

pub(crate) const FAULTS: &[Fault] = &[
    Fault::new(
        "of_descriptors_to_accept_with",
        "descriptors are used up when a client comes",
        descriptors::of_descriptors_to_accept_with,
    ),
    Fault::new(
        "of_descriptors_to_open_with",
        "descriptors are used up when a file is to be opened",
        descriptors::of_descriptors_to_open_with,
    ),
    Fault::new(
        "of_threads_and_processes",
        "the system gives no more threads or processes",
        threads::of_threads_and_processes,
    )
    .needs_root()
    .of_each_behaviour(),
    Fault::new(
        "of_threads_at_the_start",
        "the system gives too few threads at the start",
        threads::of_threads_at_the_start,
    )
    .of_each_behaviour(),
];
