//! `merging`: how long `archbench merge` takes, and the most memory it has, by how many parts there are and how long they were.
//!
//! A real part asks a server for some seconds; what it wrote of these seconds is what every part is made of that is merged, each in
//! another order, so that lines are as long, and times as many, as those of a real run.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use contracts::load::Report;
use contracts::part::PartLine;
use lab::Failure;
use lab::table::Table;

use crate::client;
use crate::programs;
use crate::server::Server;
use crate::testbed::{Cores, Testbed};

/// How long the real part asks.
const SECONDS: u64 = 8;
/// How often it is looked how much memory there is.
const LOOKS_UP: Duration = Duration::from_millis(5);
/// A second.
const SECOND_NS: u64 = 1_000_000_000;

/// Measure what merging parts takes: time and memory, by how many there are and how long they were
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many parts, and of how many seconds each
    #[arg(value_name = "PARTSxSECONDS", default_values = ["64x3600", "10x60", "1000x60"])]
    cases: Vec<Case>,
    /// How many requests each part makes in a second
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rate: u64,
    #[command(flatten)]
    cores: Cores,
}

/// Parts that are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Case {
    parts: u32,
    seconds: u64,
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let case = text.split_once('x').and_then(|(parts, seconds)| {
            let case = Self {
                parts: parts.parse().ok()?,
                seconds: seconds.parse().ok()?,
            };
            (case.parts > 0 && case.seconds > 0).then_some(case)
        });
        case.ok_or_else(|| {
            format!("'{text}' is not how many parts of how many seconds, like 64x3600")
        })
    }
}

/// Measures, and prints the table.
///
/// # Errors
/// When the parts cannot be made, or not be merged.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    let archbench = programs::archbench()?;
    let part = RealPart::measure(&testbed, &archbench, arguments.rate)?;
    println!(
        "parts of {} requests a second, {} bytes of log for each second",
        arguments.rate,
        part.bytes_per_second()?
    );
    let heads = ["parts", "seconds", "log MB", "time s", "MB/s", "peak MB"];
    let mut table = Table::new(heads.map(str::to_owned));
    for case in &arguments.cases {
        testbed.go_on()?;
        let logs = testbed.work().join("logs");
        let bytes = part.write(&logs, *case)?;
        let merged = merge(&archbench, &logs, *case)?;
        fs::remove_dir_all(&logs)
            .map_err(|error| format!("cannot remove {}: {error}", logs.display()))?;
        let (mb, time_s) = (bytes as f64 / 1e6, merged.time.as_secs_f64());
        table.row(vec![
            case.parts.to_string(),
            case.seconds.to_string(),
            format!("{mb:.0}"),
            format!("{time_s:.2}"),
            format!("{:.0}", mb / time_s),
            format!("{:.0}", merged.peak_bytes as f64 / 1e6),
        ]);
    }
    print!("{table}");
    Ok(0)
}

/// What a real part wrote.
struct RealPart {
    /// Before its first second: what was asked for, and that it has begun.
    head: Vec<PartLine>,
    seconds: Vec<PartLine>,
    end: PartLine,
}

impl RealPart {
    fn measure(testbed: &Testbed, archbench: &Path, rate: u64) -> Result<Self, Failure> {
        let path = testbed.file(&"1k".parse()?)?;
        let server = Server::ours(testbed, archbench, "sped", &testbed.root())?;
        let home = testbed.work().join("real");
        let command = [
            archbench.display().to_string(),
            "load".into(),
            "--quiet".into(),
            "--share=1/1".into(),
            "--run-id=real".into(),
            format!("--out-dir={}", home.display()),
            format!("--rate={rate}"),
            "--poisson".into(),
            format!("--duration={SECONDS}s"),
            format!("{}{path}", server.url),
        ];
        let ended = client::run(testbed, &command)?;
        server.stop()?;
        let log = home.join("real.1-of-1.part");
        let text = fs::read_to_string(&log)
            .map_err(|error| format!("no part was made ({error}): {}", ended.how))?;
        Self::read(&text).ok_or_else(|| format!("{} is no log of a part", log.display()).into())
    }

    fn read(text: &str) -> Option<Self> {
        let lines = text.lines().map(|line| serde_json::from_str(line).ok());
        let mut lines: Vec<PartLine> = lines.collect::<Option<_>>()?;
        let end = lines.pop().filter(|line| line.ended.is_some())?;
        let (seconds, head): (Vec<_>, Vec<_>) =
            lines.into_iter().partition(|line| line.second.is_some());
        (!seconds.is_empty()).then_some(Self { head, seconds, end })
    }

    fn bytes_per_second(&self) -> Result<usize, Failure> {
        let mut bytes = 0;
        for line in &self.seconds {
            bytes += serde_json::to_vec(line)?.len();
        }
        Ok(bytes / self.seconds.len())
    }

    /// Makes the logs of all parts; gives how many bytes they are.
    fn write(&self, logs: &Path, case: Case) -> Result<u64, Failure> {
        let cannot = |path: &Path| {
            let path = path.display().to_string();
            move |error: std::io::Error| format!("cannot write {path}: {error}")
        };
        fs::create_dir_all(logs).map_err(cannot(logs))?;
        let mut bytes = 0;
        for part in 1..=case.parts {
            let path = logs.join(format!("real.{part}-of-{}.part", case.parts));
            let file = File::create(&path).map_err(cannot(&path))?;
            let mut out = BufWriter::with_capacity(1 << 20, file);
            for line in self.lines(part, case) {
                let mut text = serde_json::to_vec(&line)?;
                text.push(b'\n');
                bytes += text.len() as u64;
                out.write_all(&text).map_err(cannot(&path))?;
            }
            out.flush().map_err(cannot(&path))?;
        }
        Ok(bytes)
    }

    /// The lines of one of the parts: the real one's seconds over and over, from another one on.
    fn lines(&self, part: u32, case: Case) -> impl Iterator<Item = PartLine> {
        let turned = self
            .seconds
            .iter()
            .cycle()
            .skip(part as usize % self.seconds.len());
        let seconds = (1..=case.seconds).zip(turned).map(|(number, line)| {
            let mut line = line.clone();
            if let Some(second) = &mut line.second {
                second.end_ns = number * SECOND_NS;
            }
            line
        });
        let mut end = self.end.clone();
        if let Some(ended) = &mut end.ended {
            ended.window_ns = case.seconds * SECOND_NS;
            ended.elapsed_ns = ended.window_ns;
        }
        let all = self.head.iter().cloned().chain(seconds).chain([end]);
        (0..).zip(all).map(move |(line, written)| PartLine {
            part,
            parts: case.parts,
            line,
            ..written
        })
    }
}

/// What merging took.
struct Merged {
    time: Duration,
    /// The most memory that was resident, as it was last looked up.
    peak_bytes: u64,
}

fn merge(archbench: &Path, logs: &Path, case: Case) -> Result<Merged, Failure> {
    let output = logs.join("run.json");
    let began = Instant::now();
    let mut process = Command::new(archbench)
        .arg("merge")
        .arg(logs)
        .arg("--quiet")
        .arg("-o")
        .arg(&output)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", archbench.display()))?;
    let peak_bytes = peak_until_end(&mut process)?;
    let time = began.elapsed();
    let parts = parts_in(&output)?;
    if parts != case.parts as usize {
        return Err(format!("{parts} of {} parts are in what was merged", case.parts).into());
    }
    Ok(Merged { time, peak_bytes })
}

fn parts_in(output: &PathBuf) -> Result<usize, Failure> {
    let text = fs::read_to_string(output)
        .map_err(|error| format!("nothing was merged: {}: {error}", output.display()))?;
    let report: Report = client::report(&text)?;
    Ok(report.parts.len())
}

/// The most memory of a process that was resident, looked up until it ends (proc_pid_status(5), VmHWM).
fn peak_until_end(process: &mut Child) -> Result<u64, Failure> {
    let status = PathBuf::from(format!("/proc/{}/status", process.id()));
    let mut peak_bytes = 0;
    loop {
        if let Some(bytes) = peak(&fs::read_to_string(&status).unwrap_or_default()) {
            peak_bytes = bytes;
        }
        if process.try_wait()?.is_some() {
            return Ok(peak_bytes);
        }
        std::thread::sleep(LOOKS_UP);
    }
}

fn peak(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::part::{PartAsked, PartEnded, PartSecond};

    #[test]
    fn a_case_is_parts_and_seconds() {
        let parts = |text: &str| text.parse::<Case>().map(|case| (case.parts, case.seconds));
        assert_eq!(parts("64x3600"), Ok((64, 3600)));
        for text in ["", "64", "0x1", "1x0", "x", "ax1"] {
            assert!(parts(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_peak_is_in_bytes() {
        assert_eq!(
            peak("VmPeak:\t 9 kB\nVmHWM:\t     512 kB\n"),
            Some(512 * 1024)
        );
        assert_eq!(peak("Name:\tx\n"), None);
    }

    #[test]
    fn parts_have_all_lines_and_the_seconds_of_the_real_one() {
        let line = |set: &dyn Fn(&mut PartLine)| {
            let mut line = PartLine::default();
            set(&mut line);
            serde_json::to_string(&line).unwrap()
        };
        let second = |sent: u64| {
            line(&|line| {
                let counts = [("sent".to_owned(), sent)].into();
                let second = PartSecond {
                    counts,
                    ..PartSecond::default()
                };
                line.second = Some(Box::new(second));
            })
        };
        let text = [
            line(&|line| line.asked = Some(Box::new(PartAsked::default()))),
            second(7),
            second(9),
            line(&|line| line.ended = Some(Box::new(PartEnded::default()))),
        ];
        let real = RealPart::read(&text.join("\n")).unwrap();
        let case = "3x5".parse().unwrap();
        let lines: Vec<_> = real.lines(1, case).collect();
        assert_eq!(lines.len(), 7);
        assert!(lines.iter().map(|line| line.line).eq(0..7));
        assert!(lines.iter().all(|line| (line.part, line.parts) == (1, 3)));
        let seconds = lines.iter().filter_map(|line| line.second.as_ref());
        let seconds = seconds.map(|second| (second.end_ns / SECOND_NS, second.counts["sent"]));
        assert!(seconds.eq([(1, 9), (2, 7), (3, 9), (4, 7), (5, 9)]));
        assert_eq!(lines[6].ended.as_ref().unwrap().window_ns, 5 * SECOND_NS);
        assert!(RealPart::read("{}").is_none());
    }
}
