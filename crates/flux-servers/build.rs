//! Each program of the folder `programs` to Rust: `NAME.flux` becomes `NAME.rs`, whose nodes are in the module `crate::NAME::nodes`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use flux::Diagnostic;
use flux::emit::{Modules, Sources, Types, rust};

const PROGRAMS: &str = "programs";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={PROGRAMS}");
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    for entry in fs::read_dir(PROGRAMS)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "flux")
        {
            compile(&path, &folder)?;
        }
    }
    Ok(())
}

fn compile(path: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let text = fs::read_to_string(path)?;
    let checked = flux::check(&text);
    let told = |diagnostics: &[Diagnostic]| {
        let shown = diagnostics
            .iter()
            .map(|one| one.render(&path.display().to_string(), &text, false));
        shown.collect::<String>()
    };
    let compiled = checked.compiled.ok_or_else(|| told(&checked.diagnostics))?;
    // That a constraint is taken earlier than written costs concurrency, and no more.
    for warning in &checked.diagnostics {
        println!("cargo::warning={}: {warning}", path.display());
    }
    let modules = Modules {
        nodes: format!("crate::{name}::nodes"),
        runtime: "flux_runtime".into(),
        sources: Sources::Nodes,
    };
    let flows = rust(&compiled, &Types::default(), &modules).map_err(|wrong| told(&wrong))?;
    Ok(fs::write(folder.join(format!("{name}.rs")), flows)?)
}
