//! Sets of files: which there are, how long and how popular.
//!
//! A set is a [`Preset`] and a seed. Both ends of a measurement derive the same list from it: the
//! server's disk is filled by [`FileSet::write_to`], and the client knows every length and, by
//! [`crate::content`], every byte.

mod disk;
mod home;
mod preset;
mod write;

pub use disk::WriteError;
pub use home::{NoCacheDir, cache_home, default_dir};
pub use preset::{Preset, PresetError};
pub use write::Written;

use crate::content::{self, Key};
use std::time::{Duration, SystemTime};

/// Changes when the same preset and seed give other files or other bytes.
pub const VERSION: u32 = 1;

/// One file.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// Relative to the root, without a leading slash; letters, digits and `_ . /`, so that it needs
    /// no encoding in a URL. The extension gives a content type.
    pub path: String,
    /// In bytes.
    pub length: u64,
    /// The share of requests that ask for it; all shares add up to 1.
    pub weight: f64,
    /// What its bytes are derived from.
    pub key: Key,
}

/// A list of files with lengths, popularities and contents.
#[derive(Debug, Clone, PartialEq)]
pub struct FileSet {
    preset: Preset,
    seed: u64,
    files: Vec<File>,
}

impl FileSet {
    /// The set of `preset`, with contents from `seed`. Lengths and popularities do not depend on
    /// the seed.
    pub fn new(preset: Preset, seed: u64) -> Self {
        let listed = preset.list();
        let total: f64 = listed.iter().map(|(_, _, weight)| weight).sum();
        let files = listed
            .into_iter()
            .map(|(path, length, weight)| File {
                key: content::key(seed, &path),
                path,
                length,
                weight: weight / total,
            })
            .collect();
        Self {
            preset,
            seed,
            files,
        }
    }

    /// The preset it was made from.
    pub fn preset(&self) -> Preset {
        self.preset
    }

    /// The seed of its contents.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The files; a [`Sampler`](crate::Sampler) of their weights draws indices into this slice.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The sum of all lengths.
    pub fn total_bytes(&self) -> u64 {
        sum(&self.files)
    }

    /// The modification time of every file, so that validators made from length and time are the
    /// same on every machine. It lies in 2000 to 2008 and depends on the seed: the same path with
    /// other contents has another one.
    pub fn modified(&self) -> SystemTime {
        const YEAR_2000: u64 = 946_684_800;
        let offset = crate::seed::derive(self.seed, "modified") >> 36;
        SystemTime::UNIX_EPOCH + Duration::from_secs(YEAR_2000 + offset)
    }
}

/// The sum of the lengths; it saturates, as a preset made in code may ask for more than 64 bits
/// count.
fn sum<'a>(files: impl IntoIterator<Item = &'a File>) -> u64 {
    files
        .into_iter()
        .fold(0, |sum, file| sum.saturating_add(file.length))
}

/// The built-in set of a bare `archbench serve`: four SPECweb99 directories, 144 files, 20 MB, seed
/// 1.
pub fn default_file_set() -> FileSet {
    Preset::SpecWeb99 { directories: 4 }.file_set(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_transfer_is_that_of_the_papers() {
        // 4.904 mean rank × 102.4 bytes × (0.35 + 0.5·10 + 0.14·100 + 0.01·1000) = 14,739 bytes =
        // 14.4 KB.
        for directories in [1, 4, 60] {
            let set = Preset::SpecWeb99 { directories }.file_set(1);
            let weighted = set.files().iter().map(|f| f.length as f64 * f.weight);
            let mean: f64 = weighted.sum();
            assert!((mean - 14_739.0).abs() < 1.0, "{mean}");
        }
    }

    #[test]
    fn the_popular_part_is_as_small_as_was_published() {
        // Ruan and Pai, USENIX 2006, table 2: of 1024 MB (200 directories), 90, 95 and 99 % of
        // requests go to 39.5, 64.6 and 138.3 MB. Theirs is a count of real requests: 12 % slack.
        let set = Preset::SpecWeb99 { directories: 200 }.file_set(1);
        let mut files: Vec<&File> = set.files().iter().collect();
        files.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        for (share, megabytes) in [(0.90, 39.5), (0.95, 64.6), (0.99, 138.3)] {
            let (mut reached, mut bytes) = (0.0, 0);
            for file in &files {
                if reached >= share {
                    break;
                }
                reached += file.weight;
                bytes += file.length;
            }
            let off = bytes as f64 / 1e6 / megabytes - 1.0;
            assert!(off.abs() < 0.12, "{share}: {bytes} bytes");
        }
    }

    #[test]
    fn shares_of_classes_and_directories() {
        let set = Preset::SpecWeb99 { directories: 10 }.file_set(1);
        let share = |part: &str| {
            set.files()
                .iter()
                .filter(|f| f.path.contains(part))
                .map(|f| f.weight)
                .sum::<f64>()
        };
        for (class, expected) in [
            ("/class0", 0.35),
            ("/class1", 0.50),
            ("/class2", 0.14),
            ("/class3", 0.01),
        ] {
            assert!((share(class) - expected).abs() < 1e-9, "{class}");
        }
        let harmonic: f64 = (1..=10).map(|k| 1.0 / f64::from(k)).sum();
        assert!((share("dir00000/") - 1.0 / harmonic).abs() < 1e-9);
        assert!((share("dir00009/") - 0.1 / harmonic).abs() < 1e-9);
        assert!((share("_5.") - 0.353).abs() < 1e-9);
        assert!((share("") - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_directory_is_five_megabytes() {
        let set = Preset::SpecWeb99 { directories: 4 }.file_set(1);
        assert_eq!(set.files().len(), 144);
        assert_eq!(set.total_bytes(), 4 * 5_119_488);
        let lengths: Vec<u64> = set
            .files()
            .iter()
            .filter(|f| f.path.starts_with("dir00001/class0"))
            .map(|f| f.length)
            .collect();
        assert_eq!(lengths, [102, 205, 307, 410, 512, 614, 717, 819, 922]);
        assert_eq!(set.files().iter().map(|f| f.length).max(), Some(921_600));
    }

    #[test]
    fn paths_are_distinct_and_need_no_encoding() {
        for preset in ["single:1k", "specweb99:3", "uniform:2500:10"] {
            let set = preset.parse::<Preset>().unwrap().file_set(1);
            let paths: std::collections::HashSet<_> = set.files().iter().map(|f| &f.path).collect();
            assert_eq!(paths.len(), set.files().len());
            let harmless = |b: u8| b.is_ascii_alphanumeric() || b"_./".contains(&b);
            assert!(
                paths
                    .iter()
                    .all(|p| p.bytes().all(harmless) && !p.starts_with('/') && p.contains('.'))
            );
        }
    }

    #[test]
    fn contents_and_times_depend_on_the_seed_and_nothing_else() {
        let set = |seed| Preset::SpecWeb99 { directories: 1 }.file_set(seed);
        assert_eq!(set(1), set(1));
        assert_ne!(set(1).files()[0].key, set(2).files()[0].key);
        assert_ne!(set(1).modified(), set(2).modified());
        assert_eq!(
            default_file_set().files()[0],
            FileSet::new("specweb99:4".parse().unwrap(), 1).files()[0]
        );
    }
}
