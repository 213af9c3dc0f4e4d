//! Names in metainfo, and figures that cannot be.

use super::*;
use crate::torrent::metainfo::Error;

/// Metainfo of files of one byte each, with these paths beneath the folder `box`.
fn of_paths(paths: &[&[&str]]) -> Result<Metainfo, Error> {
    let mut files = String::new();
    for path in paths {
        let path: String = path
            .iter()
            .map(|name| format!("{}:{name}", name.len()))
            .collect();
        files.push_str(&format!("d6:lengthi1e4:pathl{path}ee"));
    }
    of_info(&format!("5:filesl{files}e4:name3:box"), paths.len())
}

/// Metainfo with such an `info`, of so many bytes, in a piece.
fn of_info(info: &str, bytes: usize) -> Result<Metainfo, Error> {
    let pieces = "x".repeat(20);
    parse(
        format!(
            "d4:infod{info}12:piece lengthi{}e6:pieces20:{pieces}ee",
            bytes.max(1)
        )
        .as_bytes(),
    )
}

#[test]
fn a_name_that_leads_out_of_the_folder_is_refused() {
    let long = "x".repeat(256);
    for name in [
        "..",
        ".",
        "",
        "/etc/passwd",
        "a/b",
        "../up",
        "a\\b",
        "..\\up",
        "nul\0byte",
        "new\nline",
        &long,
    ] {
        for path in [&[name][..], &["inner", name], &[name, "inner"]] {
            let refused = of_paths(&[path]);
            assert!(
                matches!(refused, Err(Error::Name(_))),
                "{path:?}: {refused:?}"
            );
        }
        let alone = of_info(&format!("6:lengthi1e4:name{}:{name}", name.len()), 1);
        assert!(matches!(alone, Err(Error::Name(_))), "{name:?}: {alone:?}");
    }
    assert!(matches!(of_paths(&[&[]]), Err(Error::Name(_))));
    let fine = of_paths(&[&["...", "..a", "\u{e9}t\u{e9} 1"]]).unwrap();
    assert_eq!(fine.files[0].path, ["box", "...", "..a", "\u{e9}t\u{e9} 1"]);
}

#[test]
fn two_files_are_not_one_and_none_is_a_folder() {
    for paths in [
        &[&["a"][..], &["a"]][..],
        &[&["a", "b"], &["a"]],
        &[&["a"], &["a", "b"]],
        &[&["a", "b", "c"], &["d"], &["a", "b"]],
    ] {
        let refused = of_paths(paths);
        assert!(
            matches!(refused, Err(Error::Twice(_))),
            "{paths:?}: {refused:?}"
        );
    }
    assert_eq!(
        of_paths(&[&["a", "b"], &["a", "c"], &["b", "b"]])
            .unwrap()
            .length,
        3
    );
}

#[test]
fn figures_that_cannot_be_are_refused() {
    let pieces = |count: usize| format!("6:pieces{}:{}", count * 20, "x".repeat(count * 20));
    let whole = |length: &str, piece_length: &str, pieces: &str| {
        parse(
            format!("d4:infod6:lengthi{length}e4:name1:a12:piece lengthi{piece_length}e{pieces}ee")
                .as_bytes(),
        )
    };
    assert!(whole("32769", "16384", &pieces(3)).is_ok());
    for (length, piece_length, pieces) in [
        ("0", "16384", pieces(0)),
        ("-1", "16384", pieces(1)),
        ("99999999999999999999", "16384", pieces(1)),
        ("9223372036854775808", "16384", pieces(1)),
        ("32769", "16384", pieces(2)),
        ("32769", "16384", pieces(4)),
        ("32769", "0", pieces(3)),
        ("1", "16777217", pieces(1)),
        ("1", "16384", "6:pieces19:xxxxxxxxxxxxxxxxxxx".into()),
    ] {
        assert!(
            whole(length, piece_length, &pieces).is_err(),
            "{length} {piece_length}"
        );
    }
    for text in [
        "",
        "d",
        "i1e",
        "le",
        "d4:infolee",
        "d4:info3:abce",
        "d8:announcei1ee",
        "d4:infodee",
        "d4:infod6:lengthi1e4:name1:a6:pieces20:xxxxxxxxxxxxxxxxxxxxee",
    ] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
    let two = of_info(
        "5:filesld6:lengthi9223372036854775807e4:pathl1:aeed6:lengthi9223372036854775807e4:pathl1:beee4:name1:x",
        1,
    );
    assert!(two.is_err());
}

#[test]
fn what_is_deep_or_large_is_refused_before_it_is_looked_at() {
    let deep = format!("d4:junk{}{}e", "l".repeat(100_000), "e".repeat(100_000));
    assert!(matches!(parse(deep.as_bytes()), Err(Error::Encoding(_))));
    assert!(matches!(
        parse(&vec![b'd'; (16 << 20) + 1]),
        Err(Error::TooLarge)
    ));
    let many: Vec<String> = (0..1025).map(|number| number.to_string()).collect();
    let paths: Vec<Vec<&str>> = many.iter().map(|name| vec![name.as_str()]).collect();
    let paths: Vec<&[&str]> = paths.iter().map(Vec::as_slice).collect();
    assert!(of_paths(&paths).is_err());
    assert!(of_paths(&paths[1..]).is_ok());
}
