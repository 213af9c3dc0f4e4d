//! The arguments of `archbench disk`, as they are typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::ArgAction;
use command::output::Format;
use workload::units;

use crate::{Disk, Distribution, Model};

/// Mount a directory as a disk that is slow in a known way
///
/// What the kernel has not in its caches costs a service time, a seek and a transfer, on one of N arms, first come first
/// served; what it has, costs nothing, as on a disk. A fresh mount is cold. The directory beneath must not change meanwhile.
///
/// Mounting takes root, or the program fusermount3 of the package fuse3.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The directory whose contents the disk has
    #[arg(value_name = "ROOT")]
    pub root: PathBuf,
    /// An empty directory where they appear; made if need be
    #[arg(value_name = "MOUNTPOINT")]
    pub mountpoint: PathBuf,
    /// Mean time of a seek, up to a minute
    #[arg(long, value_name = "TIME", default_value = "8ms", value_parser = seek)]
    pub seek: Duration,
    /// Whether every seek takes the same time, or an exponentially distributed one
    #[arg(long, value_name = "DISTRIBUTION", default_value = "constant")]
    pub distribution: Distribution,
    /// Bytes that an arm transfers in a second
    #[arg(long, value_name = "SIZE", default_value = "60m", value_parser = transfer)]
    pub transfer: u64,
    /// Requests served at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub arms: u16,
    /// Let a look-up cost a seek when the kernel has forgotten the name or has never known it
    #[arg(long, value_name = "on|off", default_value = "on", value_parser = switch, action = ArgAction::Set)]
    pub metadata_seek: bool,
    /// Let a read cost a seek even where it goes on where the last one of its arm ended
    #[arg(long, value_name = "on|off", default_value = "off", value_parser = switch, action = ArgAction::Set)]
    pub sequential_seek: bool,
    /// Bytes that the kernel may read ahead of a sequential reader; it grants 128k at most, and 0 reads page by page
    #[arg(long, value_name = "SIZE", default_value = "128k", value_parser = read_ahead)]
    pub read_ahead: u32,
    /// Exponential seeks are drawn from it: the same seed gives the same seeks
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How readiness and the summary at the end are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output_format: Format,
}

const EXAMPLES: &str = "Examples:\n  \
    archbench disk /tmp/site /tmp/slow --seek 8ms --transfer 60m\n  \
    archbench serve --model sped --root /tmp/slow\n\n\
    SIGTERM or Ctrl-C unmounts, prints a summary and exits 0; a second one ends at once (130), and may leave a dead mount.\n\
    Exit status: 0 mounted and unmounted, 1 failed, 2 wrong usage.";

impl From<&Arguments> for Disk {
    fn from(arguments: &Arguments) -> Self {
        Self {
            root: arguments.root.clone(),
            mountpoint: arguments.mountpoint.clone(),
            model: Model {
                seek: arguments.seek,
                distribution: arguments.distribution,
                transfer_bytes_per_s: arguments.transfer,
                arms: usize::from(arguments.arms),
                always_seek: arguments.sequential_seek,
                seed: arguments.seed,
            },
            metadata_seek: arguments.metadata_seek,
            read_ahead_bytes: arguments.read_ahead,
        }
    }
}

fn seek(text: &str) -> Result<Duration, String> {
    let seek = units::duration(text).map_err(|error| error.to_string())?;
    if seek > Duration::from_secs(60) {
        return Err(format!("'{text}' is too long for a seek: at most 1m"));
    }
    Ok(seek)
}

fn transfer(text: &str) -> Result<u64, String> {
    match units::size(text).map_err(|error| error.to_string())? {
        0 => Err("nothing would ever be transferred: expected bytes a second, like 60m".into()),
        bytes => Ok(bytes),
    }
}

fn read_ahead(text: &str) -> Result<u32, String> {
    let bytes = units::size(text).map_err(|error| error.to_string())?;
    u32::try_from(bytes).map_err(|_| format!("'{text}' is too much to read ahead: at most 128k"))
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("expected on or off".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args, FromArgMatches};

    fn parse(line: &str) -> Result<Disk, clap::Error> {
        let command = Arguments::augment_args(clap::Command::new("disk"));
        let matches = command.try_get_matches_from(line.split(' '))?;
        Ok(Disk::from(&Arguments::from_arg_matches(&matches)?))
    }

    #[test]
    fn a_bare_disk_is_the_one_in_the_manual() {
        let disk = parse("disk from to").unwrap();
        assert_eq!(disk.model.seek, Duration::from_millis(8));
        assert_eq!(disk.model.transfer_bytes_per_s, 60 << 20);
        assert_eq!(disk.model.arms, 1);
        assert!(disk.metadata_seek && !disk.model.always_seek);
    }

    #[test]
    fn every_option_counts() {
        let disk = parse(
            "disk from to --seek 500us --transfer 1g --arms 4 --metadata-seek off --sequential-seek on --read-ahead 16k \
             --distribution exponential --seed 5",
        )
        .unwrap();
        assert_eq!(disk.model.seek, Duration::from_micros(500));
        assert_eq!(disk.model.transfer_bytes_per_s, 1 << 30);
        assert_eq!((disk.model.arms, disk.model.seed), (4, 5));
        assert!(!disk.metadata_seek && disk.model.always_seek);
        assert_eq!(disk.read_ahead_bytes, 16 << 10);
        assert_eq!(disk.model.distribution, Distribution::Exponential);
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in [
            "disk from",
            "disk from to --arms 0",
            "disk from to --arms 1025",
            "disk from to --transfer 0",
            "disk from to --seek 61s",
            "disk from to --seek 8",
            "disk from to --metadata-seek maybe",
            "disk from to --read-ahead 8g",
            "disk from to --distribution normal",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
