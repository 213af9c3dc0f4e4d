//! What BitTorrent peers and trackers say (BEP 3), and torrents themselves.

use flux_servers::torrent::hostile;

use crate::cut;

/// Takes `bytes`, the first of which say as what, for what a peer says, a torrent, a tracker's answer, or an announcement to one.
///
/// # Panics
/// When something of that does not hold which [`hostile`] says.
pub fn check(bytes: &[u8]) {
    let Some((&what, said)) = bytes.split_first() else {
        return;
    };
    match what % 4 {
        0 => {
            let Some((seed, said)) = cut::seed(said) else {
                return;
            };
            hostile::peer(said, cut::pieces(said, seed | 1));
        }
        1 => hostile::metainfo(said),
        2 => hostile::tracker_answer(said),
        _ => hostile::announcement(said),
    }
}
