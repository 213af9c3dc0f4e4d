//! `archbench report`, `archbench plot` and `archbench notebook`.

use crate::draw::{self, Frame};
use crate::notebook;
use crate::page;
use crate::plot::{self, FigureKind, Request};
use clap::Args;
use command::{output, usage};
use contracts::models::Model;
use std::error::Error;
use std::path::PathBuf;

/// Write the report of a run: one page with its verdicts, figures and tables, that needs no network
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
'archbench run' writes one into each results folder; this makes it again, from what is there.

Examples:
  archbench report results/quick-20250321-140506
  archbench report results/quick-20250321-140506 -o page.html")]
pub struct Report {
    /// The results folder
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,

    /// Where the page goes [default: report.html in the results folder]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Draw one figure, from a results folder or from what `archbench load` wrote
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Plot {
    /// What to draw
    #[arg(value_enum, value_name = "KIND")]
    pub kind: FigureKind,

    /// A results folder; .hlog, .hgrm, CSV or JSON of `archbench load`; CSV of HdrHistogram's outputPercentileDistribution or
    /// HistogramLogProcessor; - for standard input. Several are laid over each other
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<PathBuf>,

    /// The picture, .svg or .png; without it, or with -, an SVG goes to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// What a source is called, once for each in their order [default: its file name]
    #[arg(short, long = "label", value_name = "NAME")]
    pub labels: Vec<String>,

    /// Of a results folder: under which circumstances, like 'poisson, 4,000 requests/s' or a part of it [default: the highest load that all bear]
    #[arg(long, value_name = "WORDS")]
    pub at: Option<String>,

    /// The title
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// A logarithmic horizontal axis, or with =false a linear one
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub x_log: Option<bool>,

    /// The same for the vertical axis
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub y_log: Option<bool>,

    /// The width in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = Frame::ALONE.width, value_parser = clap::value_parser!(u32).range(240..=8000))]
    pub width: u32,

    /// The height in pixels; figures of rows are as high as they need to be
    #[arg(long, value_name = "PIXELS", default_value_t = Frame::ALONE.height, value_parser = clap::value_parser!(u32).range(200..=8000))]
    pub height: u32,

    /// Pixels of a PNG for each pixel of the figure
    #[arg(long, value_name = "FACTOR", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub scale: u8,
}

/// Write a notebook that loads a run with pandas and the HdrHistogram package, and draws it anew
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
The notebook is to be run in the results folder, by Jupyter or whatever reads its format, and needs
'pip install pandas matplotlib hdrhistogram'. 'archbench run' writes one into each results folder.

Example:
  archbench notebook results/quick-20250321-140506 && cd results/quick-20250321-140506 && jupyter lab explore.ipynb")]
pub struct Notebook {
    /// The results folder
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,

    /// Where the notebook goes [default: explore.ipynb in the results folder]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  archbench plot latency results/quick-20250321-140506 -o latency.svg
  archbench plot cdf before.hlog after.hlog --label before --label after -o cdf.png
  archbench plot percentiles results/quick-20250321-140506 --at '4,000 requests/s' > percentiles.svg";

impl Report {
    /// Writes it and says where. Models look as their family and their place in it, by the `catalogue`, say.
    pub fn run(&self, catalogue: &[Model]) -> Result<u8, Box<dyn Error>> {
        let path = page::write(&self.results, self.output.as_deref(), catalogue)?;
        output::write(None, format!("{}\n", path.display()).as_bytes())?;
        Ok(0)
    }
}

impl Notebook {
    /// Writes it and says where.
    pub fn run(&self) -> Result<u8, Box<dyn Error>> {
        let run = results::read(&self.results)?;
        let path = notebook::write(&run, self.output.as_deref())?;
        output::write(None, format!("{}\n", path.display()).as_bytes())?;
        Ok(0)
    }
}

impl Plot {
    /// Draws it. Models look as their family and their place in it, by the `catalogue`, say.
    pub fn run(&self, catalogue: &[Model]) -> Result<u8, Box<dyn Error>> {
        let (labels, sources) = (self.labels.len(), self.sources.len());
        if labels > 0 && labels != sources {
            return Err(usage(format!(
                "--label is given {labels} times for {sources} sources: give it once for each, in their order, or not at all"
            )));
        }
        let output = self
            .output
            .as_deref()
            .filter(|path| !command::is_standard(path));
        if let Some(path) = output {
            plot::format_of(path).map_err(usage)?;
        }
        let piped = self
            .sources
            .iter()
            .filter(|path| command::is_standard(path));
        if piped.count() > 1 {
            return Err(usage("only one source can be read from standard input"));
        }
        let request = Request {
            kind: self.kind,
            sources: self.sources.clone(),
            labels: self.labels.clone(),
            at: self.at.clone(),
            title: self.title.clone(),
            x_log: self.x_log,
            y_log: self.y_log,
        };
        let figure = plot::figure(&request, catalogue)?;
        let frame = Frame {
            width: self.width,
            height: self.height,
            titled: true,
        };
        match output {
            Some(path) => plot::write(&figure, frame, self.scale.into(), path)?,
            None => output::write(None, draw::svg(&figure, frame)?.as_bytes())?,
        }
        Ok(0)
    }
}
