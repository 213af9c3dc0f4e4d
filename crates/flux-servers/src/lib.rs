//! Servers written in Flux (Burns, Grimaldi, Kostadinov, Berger, Corner: "Flux: A Language for Programming High-Performance Servers",
//! USENIX 2006): each is a program in the folder `programs`, and the functions of its nodes, which know nothing of flows.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`image`] | pictures as JPEG, at the size that is asked for: the paper's example |
//! | [`game`] | tag over UDP, ten heartbeats a second, and players that measure it |
//! | [`torrent`] | a BitTorrent peer, which gets and gives |
//! | [`tracker`] | and a tracker, at which peers find each other |
//! | [`runtime`] | who calls the next step, for all of them |
//! | [`told`] | what a server says when it is ready and when it has ended |

pub mod game;
pub mod image;
pub mod runtime;
pub mod told;
pub mod torrent;
pub mod tracker;
