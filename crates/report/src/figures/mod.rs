//! The figures of a report: one a file, or where one is no more than a quantity, a row.
//!
//! Most are functions of a study; those of whole distributions are functions of overlays, which may come from files too. A figure for which there are
//! no data is left out.

pub(crate) mod blocking;
pub(crate) mod ccdf;
pub(crate) mod cdf;
pub(crate) mod histogram;
pub(crate) mod latency;
pub(crate) mod overlay;
pub(crate) mod percentiles;
pub(crate) mod quantities;
pub(crate) mod series;
pub(crate) mod stages;
pub(crate) mod sweep;
mod theory;
pub(crate) mod throughput;
