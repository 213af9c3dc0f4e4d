//! Lines on standard output, in pieces that a launcher passes on whole.
//!
//! Launchers gather what their processes print by reading what is there: a line that is longer than what they read at once (srun: 1 KiB,
//! mpirun: 4 KiB) is cut, and what another process has printed comes in between. So a line goes out as pieces that are shorter, each
//! a line with its place in front, its length and its CRC-32, by which one that was cut nevertheless is known. The length alone would not do:
//! parts print lines of the same lengths, a launcher cuts them at the same places, and the beginning of one piece with the end of another
//! is as long as a piece.

use contracts::part::PartLine;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

/// The most of a line in a piece. With what is in front it stays below what srun takes at once.
const PIECE: usize = 800;
/// Between two pieces, so that a launcher reads few at a time. mpirun, which goes by bytes and not by lines, cuts one only if it leaves them
/// lying for five times as long.
const PAUSE: Duration = Duration::from_millis(10);

/// Writes a line of a part, which is `json`, in pieces.
pub(super) fn write(line: &PartLine, json: &str, out: &mut impl Write) -> io::Result<()> {
    let plain = plain(json);
    let pieces = plain.as_bytes().chunks(PIECE);
    let of = pieces.len();
    for (number, piece) in pieces.enumerate() {
        let head = format!(
            "{} {} {} {} {number} {of} {}",
            PartLine::SCHEMA,
            line.run_id,
            line.part,
            line.line,
            piece.len()
        );
        let check = check(head.as_bytes(), piece);
        let mut whole = format!("{head} {check:08x} ").into_bytes();
        whole.extend_from_slice(piece);
        whole.push(b'\n');
        out.write_all(&whole)?;
        out.flush()?;
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// What tells whether head and piece are those that were written.
fn check(head: &[u8], piece: &[u8]) -> u32 {
    let mut check = crc32fast::Hasher::new();
    check.update(head);
    check.update(piece);
    check.finalize()
}

/// The same JSON without a space and of ASCII alone, so that it may be cut anywhere: whoever passes lines on may drop spaces at their ends, and
/// put another letter in the place of half of one. Such stand in strings only (RFC 8259, section 7, has the escapes).
fn plain(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    let mut units = [0; 2];
    for letter in json.chars() {
        match letter.is_ascii_graphic() {
            true => plain.push(letter),
            false => {
                for unit in letter.encode_utf16(&mut units) {
                    // Writing to a string cannot fail.
                    let _ = write!(plain, "\\u{unit:04x}");
                }
            }
        }
    }
    plain
}

/// Puts pieces together, those of several parts in turn.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// Of each part of each run, the line that is under way: its number, how many pieces are there, and what they hold.
    under_way: BTreeMap<(String, u32), (u64, usize, Vec<u8>)>,
    /// Pieces that were cut or spoilt on the way.
    spoilt: u64,
}

/// What is in front of a piece.
struct Head {
    run_id: String,
    part: u32,
    line: u64,
    number: usize,
    of: usize,
}

impl Pieces {
    /// Where in what was printed a piece begins.
    fn begins_at(text: &[u8]) -> Option<usize> {
        let start = format!("{} ", PartLine::SCHEMA);
        text.windows(start.len())
            .position(|window| window == start.as_bytes())
    }

    /// Takes what was printed in a line, behind whatever a launcher puts before it; gives a line of a part when its last piece has come. A piece that is
    /// none, or does not follow the one before, is left out, and its line is never whole.
    pub(super) fn take(&mut self, text: &[u8]) -> Option<PartLine> {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let mut rest = text.strip_suffix(b"\r").unwrap_or(text);
        let (head, piece) = loop {
            rest = &rest[Self::begins_at(rest)?..];
            if let Some(found) = sound(rest) {
                break found;
            }
            // Behind what is left of one that was cut, another may stand whole.
            self.spoilt += 1;
            rest = &rest[1..];
        };
        let key = (head.run_id, head.part);
        let mine = self.under_way.entry(key.clone()).or_default();
        if head.number == 0 {
            (mine.0, mine.1) = (head.line, 0);
            mine.2.clear();
        }
        if mine.0 != head.line || mine.1 != head.number {
            return None;
        }
        mine.1 += 1;
        mine.2.extend_from_slice(piece);
        if mine.1 < head.of {
            return None;
        }
        let (_, _, whole) = self.under_way.remove(&key)?;
        PartLine::parse(&whole).ok()
    }

    /// How many pieces were cut or spoilt on the way.
    pub(super) fn spoilt(&self) -> u64 {
        self.spoilt
    }
}

/// A piece and what is in front of it, if it is as it was written.
fn sound(text: &[u8]) -> Option<(Head, &[u8])> {
    let mut spaces = (0..text.len()).filter(|at| text[*at] == b' ');
    let (before_check, before_piece) = (spaces.nth(6)?, spaces.next()?);
    let (head, piece) = (&text[..before_check], &text[before_piece + 1..]);
    let written = std::str::from_utf8(&text[before_check + 1..before_piece]).ok()?;
    if u32::from_str_radix(written, 16) != Ok(check(head, piece)) {
        return None;
    }
    let mut fields = std::str::from_utf8(head).ok()?.split(' ').skip(1);
    let head = Head {
        run_id: fields.next()?.to_owned(),
        part: fields.next()?.parse().ok()?,
        line: fields.next()?.parse().ok()?,
        number: fields.next()?.parse().ok()?,
        of: fields.next()?.parse().ok()?,
    };
    (fields.next()?.parse() == Ok(piece.len())).then_some((head, piece))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::find::Reader;

    fn line(part: u32, words: usize) -> PartLine {
        PartLine {
            schema: PartLine::SCHEMA.to_owned(),
            run_id: "a".to_owned(),
            part,
            parts: 2,
            line: 3,
            ended: Some(Box::new(contracts::part::PartEnded {
                answered_of: (0..words as u64).collect(),
                ..Default::default()
            })),
            ..PartLine::default()
        }
    }

    fn printed(line: &PartLine) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        write(line, &serde_json::to_string(line).expect("JSON"), &mut out).expect("written");
        let lines = out.split_inclusive(|byte| *byte == b'\n');
        lines.map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn lines_of_two_parts_that_are_mixed_by_pieces_are_both_there() {
        let (one, other) = (line(1, 2_000), line(2, 1_500));
        let (ones, others) = (printed(&one), printed(&other));
        assert!(ones.len() > 5 && ones.iter().all(|piece| piece.len() < 1024));
        let mut reader = Reader::default();
        let mut found = Vec::new();
        for place in 0..ones.len().max(others.len()) {
            for piece in [ones.get(place), others.get(place)].into_iter().flatten() {
                let labelled = [b"[1,1]<stdout>:", piece.as_slice()].concat();
                found.extend(reader.read(&labelled));
            }
        }
        found.sort_by_key(|line| line.part);
        assert_eq!(found, [one, other]);
    }

    /// As the lab does, which reads lines as text.
    #[test]
    fn whoever_drops_spaces_at_the_end_of_a_line_and_reads_text_loses_nothing() {
        for shift in 0..4 {
            let mut told = line(1, 10);
            told.run_id = "a".repeat(shift + 1);
            let ended = told.ended.as_mut().expect("an end");
            ended.report.notes = vec!["µ 𝄞".repeat(500), " ".repeat(1_700)];
            let mut pieces = Pieces::default();
            let read = printed(&told).into_iter().filter_map(|piece| {
                let text = String::from_utf8_lossy(&piece).trim_end().to_owned();
                pieces.take(text.as_bytes())
            });
            assert_eq!(read.collect::<Vec<_>>(), [told]);
        }
    }

    #[test]
    fn a_piece_behind_what_is_left_of_another_is_read() {
        let (one, other) = (line(1, 2_000), line(2, 1));
        let (ones, others) = (printed(&one), printed(&other));
        let mut pieces = Pieces::default();
        let found: Vec<_> = others
            .iter()
            .filter_map(|piece| pieces.take(&[&ones[0][..300], piece].concat()))
            .collect();
        assert_eq!((found, pieces.spoilt()), (vec![other], others.len() as u64));
    }

    #[test]
    fn a_line_of_which_a_piece_was_cut_is_not_there_and_the_next_one_is() {
        let (one, next) = (
            line(1, 2_000),
            PartLine {
                line: 4,
                ..line(1, 900)
            },
        );
        for spoil in [
            (|pieces: &mut Vec<Vec<u8>>| pieces[1].truncate(500)) as fn(&mut Vec<Vec<u8>>),
            |pieces| drop(pieces.remove(2)),
            |pieces| {
                // Another process's bytes in the middle of a piece.
                pieces[3].splice(400..400, *b"archbench");
            },
            |pieces| {
                // The end of another part's piece in the place of its own, cut at the same byte: as long, and JSON as well.
                let others = |byte: &u8| if *byte == b'1' { b'2' } else { *byte };
                let end: Vec<u8> = pieces[2][500..].iter().map(others).collect();
                assert_ne!(pieces[2][500..], end);
                pieces[2].splice(500.., end);
            },
        ] {
            let mut printed_one = printed(&one);
            spoil(&mut printed_one);
            let mut pieces = Pieces::default();
            let all = printed_one.into_iter().chain(printed(&next));
            let found: Vec<_> = all.filter_map(|piece| pieces.take(&piece)).collect();
            assert_eq!(found, std::slice::from_ref(&next));
        }
    }
}
