//! What the compiler has to say about a program: where, what is wrong there, and how to mend it.

use std::fmt;
use std::ops::Range;

use ariadne::{CharSet, Color, Config, IndexType, Label, Report, ReportKind, Source};

/// A place in the text of a program, in bytes.
pub type Span = Range<usize>;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The program means something, though perhaps not what was meant.
    Warning,
    /// It means nothing.
    Error,
}

/// One thing that is wrong, or looks as if it were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What is said at the place itself; the message, where this is empty.
    pub label: String,
    /// Other places that it has to do with.
    pub others: Vec<(Span, String)>,
    /// How to mend it.
    pub help: Option<String>,
}

impl Diagnostic {
    pub(crate) fn error(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, span, message.into())
    }

    pub(crate) fn warning(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, span, message.into())
    }

    fn new(severity: Severity, span: Span, message: String) -> Self {
        Self {
            severity,
            span,
            message,
            label: String::new(),
            others: Vec::new(),
            help: None,
        }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn other(mut self, span: Span, label: impl Into<String>) -> Self {
        self.others.push((span, label.into()));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether the program means nothing because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// For a person: the lines that it is about, with the places marked. `name` is the file's.
    pub fn render(&self, name: &str, text: &str, in_colour: bool) -> String {
        let (kind, colour) = match self.severity {
            Severity::Warning => (ReportKind::Warning, Color::Yellow),
            Severity::Error => (ReportKind::Error, Color::Red),
        };
        let config = Config::default()
            .with_color(in_colour)
            .with_index_type(IndexType::Byte)
            .with_char_set(CharSet::Unicode);
        let label = if self.label.is_empty() {
            &self.message
        } else {
            &self.label
        };
        let mut report = Report::build(kind, (name, self.span.clone()))
            .with_config(config)
            .with_message(&self.message)
            .with_label(
                Label::new((name, self.span.clone()))
                    .with_message(label)
                    .with_color(colour),
            );
        for (span, label) in &self.others {
            report.add_label(
                Label::new((name, span.clone()))
                    .with_message(label)
                    .with_color(Color::Cyan),
            );
        }
        if let Some(help) = &self.help {
            report.set_help(help);
        }
        let mut rendered = Vec::new();
        // Memory takes everything.
        let _ = report
            .finish()
            .write((name, Source::from(text)), &mut rendered);
        String::from_utf8_lossy(&rendered).into_owned()
    }
}

/// In one line, without the place.
impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(formatter, "{severity}: {}", self.message)?;
        if let Some(help) = &self.help {
            write!(formatter, "; {help}")?;
        }
        Ok(())
    }
}

/// The name among `known` that was most likely meant.
pub(crate) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LIKE_ENOUGH: f64 = 0.8;
    known
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness >= LIKE_ENOUGH)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, known)| known)
}
