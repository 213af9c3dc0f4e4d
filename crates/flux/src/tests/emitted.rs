//! What is generated: held against files that a person has read, so that every change of it is seen.

use std::path::Path;

use super::{compiled, forms, hoisting};
use crate::Compiled;
use crate::emit::{Modules, Sources, Types, rust, skeleton};

fn emitted(program: &Compiled, map: &str) -> String {
    let modules = Modules {
        nodes: "crate::nodes".into(),
        runtime: "flux_runtime".into(),
        sources: Sources::Nodes,
    };
    let types = Types::default().with_map(map).unwrap();
    rust(program, &types, &modules).unwrap()
}

const GALLERY_TYPES: &str = "# beside the program\npicture * = Picture\n__u8 *  = Vec<u8>\n";

/// Held against `golden/NAME`, or written there with `FLUX_BLESS=1` in the environment.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/tests/golden")
        .join(name);
    if std::env::var_os("FLUX_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let before = std::fs::read_to_string(&path).unwrap();
    assert!(
        before == text,
        "{name} is another now; look at it, and bless it with FLUX_BLESS=1\n{text}"
    );
}

#[test]
fn flows_are_what_they_were() {
    golden(
        "gallery.rs",
        &emitted(&compiled(forms::GALLERY), GALLERY_TYPES),
    );
    golden("crossed.rs", &emitted(&compiled(hoisting::CROSSED), ""));
    golden("seats.rs", &emitted(&compiled(forms::SEATS), ""));
    golden(
        "game.rs",
        &emitted(
            &compiled(forms::GAME),
            "packet * = Packet\nlist = Vec<Player>\n",
        ),
    );
}

#[test]
fn nodes_are_told_as_they_are_called() {
    let types = Types::default().with_map(GALLERY_TYPES).unwrap();
    golden(
        "gallery.nodes",
        &skeleton(&compiled(forms::GALLERY), &types).unwrap(),
    );
}

#[test]
fn what_rust_needs_and_nobody_says_is_told() {
    let told = |program: &str| {
        let modules = Modules {
            nodes: "nodes".into(),
            runtime: "flux_runtime".into(),
            sources: Sources::Nodes,
        };
        let wrong = rust(&compiled(program), &Types::default(), &modules).unwrap_err();
        wrong.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let missing = told(forms::GALLERY);
    assert_eq!(missing.len(), 2, "{missing:?}");
    assert!(
        missing[0].contains("there is no Rust type for '__u8*'")
            || missing[0].contains("'picture*'")
    );
    let borrowed = told("source S => A; S () => (&str a); A (&str a) => ();");
    assert!(
        borrowed[0].contains("a flow owns what it has in hand"),
        "{borrowed:?}"
    );
    let twice = told(
        "source S => ReadIt; S () => (int a); ReadIt (int a) => (int a); read_it (int a) => ();",
    );
    assert!(
        twice[0].contains("would both be 'read_it' in Rust"),
        "{twice:?}"
    );
    let nothing = told("A (int a) => ();");
    assert!(nothing[0].contains("there is no source"));
    assert!(
        Types::default()
            .with_map("int")
            .unwrap_err()
            .contains("line 1: expected 'TYPE = RUST TYPE'")
    );
    assert!(
        Types::default()
            .with_map("\nint = 3")
            .unwrap_err()
            .contains("line 2: '3' is no type of Rust")
    );
}
