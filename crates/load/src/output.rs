//! Where the report of a run goes, and its histogram log.

use crate::cli::Arguments;
use crate::{Failure, usage};
use command::output;
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
    /// When one of them cannot be written, is the other one, or would be written over what the run is made from.
    pub(crate) fn of(arguments: &'a Arguments) -> Result<Self, Failure> {
        let named =
            |path: &'a Option<_>| path.as_deref().filter(|path| !command::is_standard(path));
        let (report, log) = (named(&arguments.output), arguments.hlog.as_deref());
        if log.is_some_and(command::is_standard) && report.is_none() {
            return Err(usage(
                "--hlog and the report would both go to standard output",
            ));
        }
        let place = |path: Option<&Path>| path.map(output::place);
        if log.is_some() && place(log) == place(report) {
            return Err(usage("--hlog and --output name the same file"));
        }
        for path in [report, log].into_iter().flatten() {
            if let Some((option, _)) = arguments
                .inputs()
                .find(|(_, input)| place(Some(input)) == place(Some(path)))
            {
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

    /// Writes both. A report that its file does not take goes to standard output: what was measured is not lost for it.
    ///
    /// # Errors
    /// What was not written where it was to be.
    pub(crate) fn write(&self, report: &[u8], log: Option<&[u8]>) -> Result<(), Failure> {
        let logged = match (self.log, log) {
            (Some(path), Some(log)) => {
                output::write(Some(path), log).map_err(|error| cannot_write(path, &error))
            }
            _ => Ok(()),
        };
        let reported = output::write(self.report, report).map_err(|error| match self.report {
            None => format!("cannot write the report: {error}"),
            Some(path) => {
                // If it is not taken there either, the first reason is the one that matters.
                let _ = output::write(None, report);
                cannot_write(path, &error) + "; the report is on standard output"
            }
        });
        Ok(logged.and(reported)?)
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
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
