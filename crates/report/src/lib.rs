//! Figures and pages from what was recorded: nothing here measures, and nothing looks at live state.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`figure`] | what a figure says: axes with units, series, rows |
//! | [`draw`] | how it looks, as SVG or PNG |

mod distribution;
pub mod draw;
pub mod error;
pub mod figure;
mod figures;
mod html;
pub mod page;
mod quantity;
mod scale;
mod study;

pub use error::Error;
