//! What the disk says when it stands and when it is gone.

use std::fmt::Write;
use std::time::Duration;

use command::quantity::{Unit, counted, time};
use contracts::disk::{Lateness, Operations, Ready, SCHEMA, Summary};
use contracts::{Line, Unknown};

use crate::{Counts, Disk, Distribution, Mounted, Tally};

pub(crate) fn ready_text(disk: &Disk, mounted: &Mounted) -> String {
    let model = &disk.model;
    format!(
        "{} is on {} (process {}; seek {} {}, {:.1} MiB/s, {}, reads ahead {} KiB)\n\
         try 'archbench serve --root {}'; Ctrl-C unmounts it",
        disk.root.display(),
        mounted.mountpoint().display(),
        std::process::id(),
        Unit::Seconds.tick(model.seek.as_secs_f64()),
        name(model.distribution),
        mib(model.transfer_bytes_per_s),
        counted(model.arms as u64, "arm"),
        mounted.read_ahead_bytes() / 1024,
        mounted.mountpoint().display(),
    )
}

pub(crate) fn ready(disk: &Disk, mounted: &Mounted) -> Ready {
    let model = &disk.model;
    Ready {
        event: Ready::EVENT.into(),
        schema: Some(SCHEMA.into()),
        root: Some(disk.root.display().to_string()),
        mountpoint: Some(mounted.mountpoint().display().to_string()),
        process_id: Some(std::process::id().into()),
        seek_ms: Some(milliseconds(model.seek)),
        distribution: Some(name(model.distribution).into()),
        transfer_bytes_per_s: Some(model.transfer_bytes_per_s),
        arms: Some(model.arms as u64),
        metadata_seek: Some(disk.metadata_seek),
        sequential_seek: Some(model.always_seek),
        read_ahead_bytes: Some(mounted.read_ahead_bytes().into()),
        seed: Some(model.seed),
        unknown: Unknown::new(),
    }
}

pub(crate) fn summary(counts: &Counts) -> Summary {
    let operations = |tally: &Tally, bytes| Operations {
        count: Some(tally.count),
        mean_wait_ms: Some(milliseconds(tally.mean_wait())),
        max_wait_ms: Some(milliseconds(tally.max_wait)),
        mean_service_ms: Some(milliseconds(tally.mean_service())),
        bytes,
        unknown: Unknown::new(),
    };
    Summary {
        event: Summary::EVENT.into(),
        schema: Some(SCHEMA.into()),
        elapsed_s: Some(counts.elapsed.as_secs_f64()),
        reads: Some(operations(&counts.reads, Some(counts.bytes))),
        metadata: Some(operations(&counts.metadata, None)),
        free_requests: Some(counts.free),
        utilisation: Some(counts.utilisation),
        lateness_us: Some(Lateness {
            mean: Some(counts.mean_lateness.as_secs_f64() * 1e6),
            max: Some(counts.max_lateness.as_secs_f64() * 1e6),
            unknown: Unknown::new(),
        }),
        unknown: Unknown::new(),
    }
}

pub(crate) fn summary_text(counts: &Counts) -> String {
    let mut text = String::from("the disk is unmounted");
    let mut line = |name: &str, value: String| {
        // Writing to a string does not fail.
        let _ = write!(text, "\n  {name:<18}{value}");
    };
    let tally = |tally: &Tally| {
        format!(
            "mean wait {}, longest {}, mean service {}",
            time(tally.mean_wait()),
            time(tally.max_wait),
            time(tally.mean_service()),
        )
    };
    let (reads, bytes) = (&counts.reads, mib(counts.bytes));
    line(
        "reads",
        format!("{}, {bytes:.1} MiB; {}", reads.count, tally(reads)),
    );
    let metadata = &counts.metadata;
    line(
        "metadata",
        format!("{}; {}", metadata.count, tally(metadata)),
    );
    line(
        "arms busy",
        format!(
            "{:.1} % of {:.1} s",
            counts.utilisation * 100.0,
            counts.elapsed.as_secs_f64()
        ),
    );
    line(
        "answers late by",
        format!(
            "{}, at most {}",
            time(counts.mean_lateness),
            time(counts.max_lateness)
        ),
    );
    text
}

fn name(distribution: Distribution) -> &'static str {
    match distribution {
        Distribution::Constant => "constant",
        Distribution::Exponential => "exponential",
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
