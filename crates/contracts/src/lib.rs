#![doc = include_str!("../CONTRACTS.md")]
//!
//! # The types
//!
//! | module | what it is | printed or written by | read by |
//! | --- | --- | --- | --- |
//! | [`serve`] | the readiness and the summary line of a server | `archbench serve` | the lab |
//! | [`load`] | the report of a load generator | `archbench load` | the lab, the report |
//! | [`part`] | the lines of one process of a run of several | `archbench load --out-dir` | `archbench merge` |
//! | [`models`] | the list of architectures | `archbench models` | the lab |
//! | [`disk`] | the readiness and the summary line of a mounted disk | `archbench disk` | the lab |
//! | [`link`] | the readiness and the summary line of a link | `archbench link` | the lab |
//! | [`wire`] | the readiness and the summary line of a capture | `archbench wire` | the lab, the report |
//! | [`results`] | the files of a results folder | the lab | the lab, the report |
//! | [`plan`] | what a run would do | `archbench run --dry-run` | people's programs |
//! | [`slo`], [`compare`], [`search`], [`doctor`] | what was found | the commands of these names | people's programs |

pub mod compare;
pub mod disk;
mod distribution;
pub mod doctor;
mod document;
mod lenient;
pub mod link;
pub mod load;
pub mod models;
pub mod part;
pub mod plan;
pub mod results;
pub mod search;
pub mod serve;
pub mod slo;
mod validity;
pub mod wire;

pub use distribution::{Distribution, PERCENTILES, Statistic, UnknownStatistic};
pub use document::{Document, Line, Malformed};
pub use validity::Validity;

/// Fields that this version does not know, as they came.
pub type Unknown = serde_json::Map<String, serde_json::Value>;
