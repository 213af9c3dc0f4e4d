//! Servers written in Flux (Burns, Grimaldi, Kostadinov, Berger, Corner: "Flux: A Language for Programming High-Performance Servers",
//! USENIX 2006): each is a program in the folder `programs`, and the functions of its nodes, which know nothing of flows.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`image`] | pictures as JPEG, at the size that is asked for: the paper's example |
//! | [`runtime`] | who calls the next step, for all of them |

pub mod image;
pub mod runtime;
