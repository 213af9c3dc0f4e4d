//! Figures and pages from what was recorded: nothing here measures, and nothing looks at live state.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`page`] | the report: one HTML file |
//! | [`answer`] | what came out, in a sentence or two |
//! | [`map`] | which architecture answers which, and where each was best |
//! | [`notebook`] | a notebook that goes with a results folder |
//! | [`plot`] | one figure, as SVG or PNG |
//! | [`cli`] | the arguments of `archbench report`, `archbench plot` and `archbench notebook` |
//! | [`figure`] | what a figure says: axes with units, series, rows |
//! | [`draw`] | how it looks |
//! | `study`, `estimate`, `standing` | a run, arranged for drawing; a figure over repeats; who leads |
//! | `family` | what a model looks like |
//! | `figures` | the figures of a report, one a file |
//! | `distribution` | a distribution of times, from wherever it was recorded |
//! | `scale` | places of quantities on an axis |

pub mod answer;
pub mod cli;
mod distribution;
pub mod draw;
pub mod error;
mod estimate;
mod family;
pub mod figure;
mod figures;
mod html;
pub mod map;
pub mod notebook;
pub mod page;
pub mod plot;
mod scale;
mod standing;
mod study;

pub use contracts::models::Model;
pub use error::Error;
pub use page::{render, write, write_run};
