//! Where the report of a run goes, and its histogram log.

use crate::cli::Arguments;
use crate::report::{Report, histograms, json, text};
use crate::{Failure, usage};
use command::output::{self, cannot_write};
use std::path::Path;

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for people.
    Text,
    /// Everything, for programs, in a versioned schema.
    Json,
    /// The percentile distributions, for spreadsheets.
    Csv,
    /// The percentile distribution of the first figure, for the HdrHistogram plotter.
    Hgrm,
    /// A histogram for each second, for the HdrHistogram log tools.
    Hlog,
    /// What this process measures, line by line as it goes, for archbench merge.
    Lines,
}

/// Two places, known before the run to take what will be written there.
pub(crate) struct Outputs<'a> {
    /// None: standard output.
    report: Option<&'a Path>,
    log: Option<&'a Path>,
}

impl<'a> Outputs<'a> {
    /// Those that were asked for.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn of(arguments: &'a Arguments) -> Result<Self, Failure> {
        let (report, log) = (arguments.output.as_deref(), arguments.hlog.as_deref());
        let has_file = report.is_some_and(|path| !command::is_standard(path));
        if arguments.output_format == Format::Lines
            && (has_file || arguments.several.out_dir.is_some())
        {
            return Err(usage(
                "--output-format lines is for standard output: leave out --output, and --out-dir, which writes the same lines to a file",
            ));
        }
        Self::new(report, log, arguments.inputs())
    }

    /// A report and a log of what is made from `inputs`, each of which has a name for people.
    ///
    /// # Errors
    /// When one of the two cannot be written, is the other one, or would be written over what the run is made from.
    pub(crate) fn new(
        report: Option<&'a Path>,
        log: Option<&'a Path>,
        inputs: impl Iterator<Item = (&'static str, &'a Path)>,
    ) -> Result<Self, Failure> {
        let report = report.filter(|path| !command::is_standard(path));
        if log.is_some_and(command::is_standard) && report.is_none() {
            return Err(usage(
                "--hlog and the report would both go to standard output",
            ));
        }
        let place = |path: Option<&Path>| path.map(output::place);
        if log.is_some() && place(log) == place(report) {
            return Err(usage("--hlog and --output name the same file"));
        }
        let inputs: Vec<_> = inputs.collect();
        for path in [report, log].into_iter().flatten() {
            let same = |(_, input): &&(_, &Path)| place(Some(input)) == place(Some(path));
            if let Some((option, _)) = inputs.iter().find(same) {
                return Err(usage(format!(
                    "{} is what {option} reads, and would be written over",
                    path.display()
                )));
            }
            output::check(path).map_err(|error| cannot_write(path, &error))?;
        }
        Ok(Self { report, log })
    }

    /// Whether the report goes to standard output.
    pub(crate) fn report_is_shown(&self) -> bool {
        self.report.is_none()
    }

    /// Writes the log alone.
    ///
    /// # Errors
    /// When it was not written where it was to be.
    pub(crate) fn write_log(&self, log: Option<&[u8]>) -> Result<(), Failure> {
        Ok(match (self.log, log) {
            (Some(path), Some(log)) => {
                output::write(Some(path), log).map_err(|error| cannot_write(path, &error))
            }
            _ => Ok(()),
        }?)
    }

    /// Writes both. A report that its file does not take goes to standard output: what was measured is not lost for it.
    ///
    /// # Errors
    /// What was not written where it was to be.
    pub(crate) fn write(&self, report: &[u8], log: Option<&[u8]>) -> Result<(), Failure> {
        let logged = self.write_log(log);
        let reported = output::write(self.report, report).map_err(|error| match self.report {
            None => format!("cannot write the report: {error}"),
            Some(path) => {
                // If it is not taken there either, the first reason is the one that matters.
                let _ = output::write(None, report);
                cannot_write(path, &error) + "; the report is on standard output"
            }
        });
        logged.and(reported.map_err(Failure::from))
    }
}

/// The report in a format; a histogram log is what was logged.
pub(crate) fn render(
    report: &Report<'_>,
    format: Format,
    log: Option<&[u8]>,
) -> Result<Vec<u8>, Failure> {
    let failed = |error| format!("the report cannot be made: {error}");
    Ok(match format {
        Format::Text => text::render(report).into_bytes(),
        Format::Json => json::render(report),
        Format::Csv => histograms::csv(report).map_err(failed)?,
        Format::Hgrm => histograms::hgrm(report).map_err(failed)?,
        Format::Hlog => log.map_or_else(Vec::new, <[u8]>::to_vec),
        // They have been written as it went.
        Format::Lines => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::parse;

    /// What is said of outputs that cannot be, and whether it is the fault of what was typed.
    fn refused(line: &str) -> Option<(String, bool)> {
        let arguments = parse(line).expect(line);
        let failure = Outputs::of(&arguments).err()?;
        Some((failure.to_string(), failure.is::<clap::Error>()))
    }

    #[test]
    fn what_would_be_lost_is_refused_before_the_run() {
        let home = tempfile::tempdir().expect("a directory");
        let at = |name: &str| home.path().join(name).display().to_string();
        let (urls, link) = (at("urls"), at("link"));
        std::fs::write(&urls, "http://h/").expect("written");
        std::os::unix::fs::symlink("report", at("link")).expect("a link");
        std::fs::write(at("report"), "").expect("written");
        let report = at("report");
        for (line, is_usage) in [
            (format!("-o {report} --hlog {report}"), true),
            (format!("-o {report} --hlog {link}"), true),
            (format!("-o {} --hlog {}", at("new"), at("./new")), true),
            (format!("--urls-file {urls} -o {urls}"), true),
            (format!("--slo-file {urls} --hlog {urls}"), true),
            (format!("--replay {urls} -o {urls}"), true),
            (format!("--arrival trace:{urls} -o {urls}"), true),
            ("--hlog -".to_owned(), true),
            ("--hlog - -o -".to_owned(), true),
            (format!("-o {}", at("no/such")), false),
            (format!("--hlog {}", home.path().display()), false),
        ] {
            let (why, usage) = refused(&line).expect(&line);
            assert_eq!(usage, is_usage, "{line}: {why}");
        }
        for line in [
            "",
            "-o -",
            &format!("-o {report} --hlog -"),
            "--urls-file - -o -",
        ] {
            assert_eq!(refused(line), None, "{line}");
        }
    }
}
