//! Presets: file sets in one word.

use super::FileSet;
use crate::popularity::zipf;
use crate::units;
use std::fmt;
use std::str::FromStr;

/// A kind of file set with its parameters.
///
/// | text | files | popularity |
/// | --- | --- | --- |
/// | `single:SIZE` | `file.txt` | it alone |
/// | `specweb99:DIRS` | `dir00000/class0_1.html` to `dir…/class3_9.txt`, 36 a directory, 5.1 MB each | as the benchmark's |
/// | `uniform:COUNT:SIZE` | `d0000/f000.txt` on, 1000 a directory, all of one size | all alike |
///
/// Sizes are read by [`units::size`], counts by [`units::count`].
///
/// **SPECweb99.** File i of class c (i from 1 to 9, c from 0 to 3) has i × 102.4 × 10^c bytes, to
/// the nearest byte. 35, 50, 14 and 1 % of requests go to the four classes; files 1 to 9 of a class
/// get 3.9, 5.9, 8.8, 17.7, 35.3, 11.8, 7.1, 5.0 and 4.5 %; directory d gets a share in proportion
/// to 1/(d+1), which is Zipf with exponent 1. The mean transfer is 14.4 KB. Classes 0 and 1, of a
/// web page's size, are named `.html`, the others `.txt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// One file.
    Single {
        /// Its length in bytes.
        size: u64,
    },
    /// The static part of SPECweb99.
    SpecWeb99 {
        /// How many directories of 36 files.
        directories: u32,
    },
    /// Many files of one length, equally popular.
    Uniform {
        /// How many.
        count: u32,
        /// Their length in bytes.
        size: u64,
    },
}

/// Why a text is no preset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "file set '{text}': {problem}; expected single:SIZE, specweb99:DIRS or uniform:COUNT:SIZE, like single:1k, specweb99:60 or uniform:1000:16k"
)]
pub struct PresetError {
    text: String,
    problem: String,
}

const CLASS_SHARES: [f64; 4] = [35.0, 50.0, 14.0, 1.0];
const FILE_SHARES: [f64; 9] = [3.9, 5.9, 8.8, 17.7, 35.3, 11.8, 7.1, 5.0, 4.5];
const CLASS_UNITS: [f64; 4] = [102.4, 1024.0, 10_240.0, 102_400.0];
const CLASS_EXTENSIONS: [&str; 4] = ["html", "html", "txt", "txt"];

/// Names have five digits for directories and seven for files of a uniform set; and a typing error
/// should not list files for hours.
const MAX_DIRECTORIES: u32 = 100_000;
const MAX_COUNT: u32 = 10_000_000;
/// 1 TiB: with [`MAX_COUNT`] files of it the sum still fits in 64 bits.
const MAX_SIZE: u64 = 1 << 40;

impl Preset {
    /// The set itself, with contents from `seed`.
    pub fn file_set(self, seed: u64) -> FileSet {
        FileSet::new(self, seed)
    }

    /// Paths, lengths and relative weights.
    pub(super) fn list(self) -> Vec<(String, u64, f64)> {
        match self {
            Self::Single { size } => vec![("file.txt".into(), size, 1.0)],
            Self::SpecWeb99 { directories } => {
                let shares = zipf(directories as usize, 1.0).enumerate();
                shares
                    .flat_map(|(directory, share)| specweb99_directory(directory, share))
                    .collect()
            }
            Self::Uniform { count, size } => (0..count)
                .map(|k| (format!("d{:04}/f{:03}.txt", k / 1000, k % 1000), size, 1.0))
                .collect(),
        }
    }
}

fn specweb99_directory(directory: usize, share: f64) -> impl Iterator<Item = (String, u64, f64)> {
    (0..4_usize).flat_map(move |class| {
        FILE_SHARES.iter().zip(1_u32..).map(move |(file_share, i)| {
            let path = format!(
                "dir{directory:05}/class{class}_{i}.{}",
                CLASS_EXTENSIONS[class]
            );
            let length = (f64::from(i) * CLASS_UNITS[class]).round() as u64;
            (path, length, share * CLASS_SHARES[class] * file_share)
        })
    })
}

impl FromStr for Preset {
    type Err = PresetError;

    fn from_str(text: &str) -> Result<Self, PresetError> {
        parse(text).map_err(|problem| PresetError {
            text: text.into(),
            problem,
        })
    }
}

fn parse(text: &str) -> Result<Preset, String> {
    let mut words = text.split(':');
    let name = words.next().unwrap_or_default();
    let arguments: Vec<&str> = words.collect();
    match (name, arguments.as_slice()) {
        ("single", [size]) => Ok(Preset::Single {
            size: parse_size(size)?,
        }),
        ("specweb99", [directories]) => Ok(Preset::SpecWeb99 {
            directories: parse_count(directories, MAX_DIRECTORIES)?,
        }),
        ("uniform", [count, size]) => Ok(Preset::Uniform {
            count: parse_count(count, MAX_COUNT)?,
            size: parse_size(size)?,
        }),
        ("single" | "specweb99", other) => {
            Err(format!("{name} takes one argument, not {}", other.len()))
        }
        ("uniform", other) => Err(format!("uniform takes two arguments, not {}", other.len())),
        _ => Err(format!("there is no '{name}'")),
    }
}

fn parse_size(text: &str) -> Result<u64, String> {
    match units::size(text) {
        Ok(size) if size <= MAX_SIZE => Ok(size),
        Ok(_) => Err("a file of more than 1024g".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn parse_count(text: &str, max: u32) -> Result<u32, String> {
    match units::count(text) {
        Ok(0) => Err("an empty set".into()),
        Ok(count) => u32::try_from(count)
            .ok()
            .filter(|c| *c <= max)
            .ok_or_else(|| format!("more than {max}")),
        Err(error) => Err(error.to_string()),
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single { size } => write!(f, "single:{}", units::show_size(*size)),
            Self::SpecWeb99 { directories } => write!(f, "specweb99:{directories}"),
            Self::Uniform { count, size } => {
                write!(f, "uniform:{count}:{}", units::show_size(*size))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_read_and_show() {
        for (text, preset) in [
            ("single:1k", Preset::Single { size: 1024 }),
            ("single:0", Preset::Single { size: 0 }),
            ("specweb99:60", Preset::SpecWeb99 { directories: 60 }),
            (
                "uniform:1000:16k",
                Preset::Uniform {
                    count: 1000,
                    size: 16384,
                },
            ),
        ] {
            assert_eq!(text.parse(), Ok(preset));
            assert_eq!(preset.to_string(), text);
        }
        assert_eq!(
            "uniform:1k:1.5MiB".parse(),
            Ok(Preset::Uniform {
                count: 1000,
                size: 1_572_864
            })
        );
    }

    #[test]
    fn errors_say_what_is_wrong_and_what_is_right() {
        for (text, problem) in [
            ("", "there is no ''"),
            ("specweb", "there is no 'specweb'"),
            ("single", "single takes one argument, not 0"),
            ("uniform:5", "uniform takes two arguments, not 1"),
            ("single:1k:2k", "single takes one argument, not 2"),
            ("specweb99:0", "an empty set"),
            ("specweb99:100001", "more than 100000"),
            ("uniform:5g:1k", "more than 10000000"),
            ("single:2000g", "a file of more than 1024g"),
        ] {
            let error = text.parse::<Preset>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!(
                    "file set '{text}': {problem}; expected single:SIZE"
                )),
                "{error}"
            );
        }
        assert!(
            "single:x"
                .parse::<Preset>()
                .unwrap_err()
                .to_string()
                .contains("size 'x' is not a number")
        );
    }
}
