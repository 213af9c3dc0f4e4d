//! The program to Rust.

use std::path::Path;

use flux::emit::{Modules, Sources, Types, rust};

const PROGRAM: &str = "web.flux";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={PROGRAM}");
    let text = std::fs::read_to_string(PROGRAM)?;
    let checked = flux::check(&text);
    let told = |diagnostics: &[flux::Diagnostic]| {
        let shown = diagnostics
            .iter()
            .map(|one| one.render(PROGRAM, &text, false));
        shown.collect::<String>()
    };
    let compiled = checked
        .compiled
        .filter(|_| checked.diagnostics.is_empty())
        .ok_or_else(|| told(&checked.diagnostics))?;
    let modules = Modules {
        nodes: "crate::nodes".into(),
        runtime: "flux_runtime".into(),
        // The table of connections has them.
        sources: Sources::Elsewhere,
    };
    let flows = rust(&compiled, &Types::default(), &modules).map_err(|wrong| told(&wrong))?;
    let folder = std::env::var("OUT_DIR")?;
    Ok(std::fs::write(Path::new(&folder).join("flows.rs"), flows)?)
}
