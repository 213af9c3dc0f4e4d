//! What came out of trials: figures, judged and compared.

pub mod compare;
pub mod judge;
pub mod objectives;
pub mod summary;
pub mod values;
