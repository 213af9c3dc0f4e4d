//! What a command found, shown to people or to programs.

use command::output::{self, Format};
use contracts::Document;

use crate::Failure;

/// For whom.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Shown {
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output_format: Format,
    /// The same as --output-format json, as it was called before
    #[arg(long, hide = true, conflicts_with = "output_format")]
    pub json: bool,
}

impl Shown {
    /// Prints the document, or what `text` makes of it.
    ///
    /// # Errors
    /// When it cannot be JSON.
    pub(super) fn print<D: Document>(
        self,
        document: &D,
        text: impl FnOnce(&D) -> String,
    ) -> Result<(), Failure> {
        match self.output_format {
            Format::Text if !self.json => output::print(text(document)),
            _ => output::print_json(document.pretty()?),
        }
        Ok(())
    }
}
