//! Where the built-in file set lives.

use super::{FileSet, VERSION, default_file_set};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// There is no cache directory to speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no place for the built-in file set: neither XDG_CACHE_HOME nor HOME is an absolute path; set one, or name a directory"
)]
pub struct NoCacheDir;

/// What is archbench's below the user's cache directory: `$XDG_CACHE_HOME/archbench`, or `~/.cache/archbench`; nothing is made there.
///
/// # Errors
/// That there is no cache directory.
pub fn cache_home() -> Result<PathBuf, NoCacheDir> {
    let base = cache_base(std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME"));
    Ok(base.ok_or(NoCacheDir)?.join("archbench"))
}

/// The directory of the built-in file set: below `$XDG_CACHE_HOME/archbench`, or
/// `~/.cache/archbench` (XDG Base Directory Specification 0.8, by which a relative path counts as
/// none).
pub fn default_dir() -> Result<PathBuf, NoCacheDir> {
    default_file_set().cache_dir()
}

impl FileSet {
    /// A directory of its own for this set below the user's cache directory; nothing is made there.
    pub fn cache_dir(&self) -> Result<PathBuf, NoCacheDir> {
        Ok(cache_home()?.join(self.slug()))
    }

    /// A file name that tells this set from any other, like `specweb99-4-seed1-v1`.
    pub fn slug(&self) -> String {
        format!(
            "{}-seed{}-v{VERSION}",
            self.preset.to_string().replace(':', "-"),
            self.seed
        )
    }
}

fn cache_base(xdg_cache_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute =
        |path: Option<OsString>| path.map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(xdg_cache_home).or_else(|| absolute(home).map(|home| Path::new(&home).join(".cache")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_directory() {
        let base = |xdg: Option<&str>, home: Option<&str>| {
            cache_base(xdg.map(Into::into), home.map(Into::into))
        };
        assert_eq!(base(Some("/c"), Some("/h")), Some("/c".into()));
        assert_eq!(base(Some("relative"), Some("/h")), Some("/h/.cache".into()));
        assert_eq!(base(Some(""), Some("/h")), Some("/h/.cache".into()));
        assert_eq!(base(None, Some("")), None);
        assert_eq!(base(None, None), None);
    }

    #[test]
    fn slugs() {
        assert_eq!(default_file_set().slug(), "specweb99-4-seed1-v1");
        assert_eq!(
            "uniform:10:1k"
                .parse::<super::super::Preset>()
                .unwrap()
                .file_set(7)
                .slug(),
            "uniform-10-1k-seed7-v1"
        );
    }
}
