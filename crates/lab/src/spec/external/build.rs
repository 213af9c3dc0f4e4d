//! Servers that are made from source, once in a run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{External, FOLDER, Given};
use crate::Failure;

impl External {
    /// Makes it from source, if that is how it is had. What was built before is left to the build to find.
    ///
    /// # Errors
    /// That it cannot be built, and what the build said last.
    pub fn build(&self) -> Result<(), Failure> {
        let Some(build) = &self.definition.build else {
            return Ok(());
        };
        let label = &self.label;
        let failed = |what: &str| format!("cannot build {label}: {what}");
        let built = self.built().map_err(|error| failed(&error.to_string()))?;
        std::fs::create_dir_all(&built)
            .map_err(|error| failed(&format!("cannot make {}: {error}", built.display())))?;
        let places = self.places();
        let words: Vec<_> = build
            .0
            .iter()
            .map(|word| self.fill(word, &places))
            .collect();
        let Some((program, arguments)) = words.split_first() else {
            return Ok(());
        };
        let output = Command::new(self.program.as_deref().unwrap_or(Path::new(program)))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(&format!("{program}: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        let (command, status) = (words.join(" "), output.status);
        Err(failed(&format!(
            "'{command}' ended with {status}: {}",
            last.unwrap_or_default()
        ))
        .into())
    }

    /// Whether it is made from source.
    pub fn is_built(&self) -> bool {
        self.definition.build.is_some()
    }

    /// Where its definition is, and where what is built of it goes.
    pub(super) fn places(&self) -> Given {
        let here = self.path.parent().unwrap_or(Path::new(""));
        let here = std::path::absolute(here).unwrap_or_else(|_| here.to_owned());
        // Without a cache directory nothing is built, which says so.
        let built = self.built().unwrap_or_default();
        Given::from([
            ("here", here.display().to_string()),
            ("built", built.display().to_string()),
        ])
    }

    /// A directory of its own in the user's cache.
    fn built(&self) -> Result<PathBuf, Failure> {
        let name = self.path.file_stem().unwrap_or_default();
        Ok(workload::fileset::cache_home()?.join(FOLDER).join(name))
    }
}
