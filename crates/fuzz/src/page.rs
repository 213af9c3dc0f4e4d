//! The report of a run whose files anybody may have written.

use crate::results::with_run;
use report::Model;

/// Puts `bytes` in the place of a file of a results folder, as [`crate::results::check`] does, and draws the report.
///
/// # Panics
/// When the page has markup that is not its own.
pub fn check(bytes: &[u8]) {
    let catalogue = ["one", "two"].map(|name| Model {
        name: name.into(),
        ..Model::default()
    });
    with_run(bytes, |run| {
        // What cannot be drawn is refused in words.
        let page = match report::render(run, &catalogue) {
            Ok(page) => page,
            Err(error) => return assert!(!error.to_string().is_empty()),
        };
        assert_eq!(page.matches("<script").count(), 1, "only the page's own");
        assert!(!page.contains("<!--"));
        for start in page.match_indices("<svg ").map(|(start, _)| start) {
            let end = page[start..].find("</svg>").expect("it is closed") + "</svg>".len();
            let figure = &page[start..start + end];
            if let Err(error) = roxmltree::Document::parse(figure) {
                panic!("{error} in {figure}");
            }
        }
    });
}
