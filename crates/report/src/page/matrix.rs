//! A compact table: a colour and a number in each cell; what else is known of it is read by pointing at it.

use crate::html::escape;
use std::fmt::Write;

/// What is in a cell.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its colour.
    pub(crate) class: &'static str,
    pub(crate) text: String,
    /// All that is known.
    pub(crate) hover: String,
}

/// Rows and columns; columns of the same group stand below its name.
#[derive(Debug, Default)]
pub(crate) struct Matrix {
    rows: Vec<String>,
    columns: Vec<(String, String)>,
    entries: Vec<(usize, usize, Entry)>,
}

impl Matrix {
    /// Puts an entry into its row, and its column of a group; rows and columns are there from their first entry on.
    pub(crate) fn put(&mut self, row: &str, (group, column): (&str, &str), entry: Entry) {
        let row = place(&mut self.rows, row.to_owned());
        let column = place(&mut self.columns, (group.to_owned(), column.to_owned()));
        self.entries.push((row, column, entry));
    }

    /// As HTML; `corner` says what rows are.
    pub(crate) fn html(&self, corner: &str) -> String {
        let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
        for (place, (group, _)) in self.columns.iter().enumerate() {
            match groups.iter_mut().find(|(name, _)| name == group) {
                Some((_, columns)) => columns.push(place),
                None => groups.push((group, vec![place])),
            }
        }
        let grouped = groups.iter().any(|(name, _)| !name.is_empty());
        let mut out =
            String::from("<div class=\"scroll\" tabindex=\"0\"><table class=\"matrix\">\n<thead>");
        if grouped {
            let _ = write!(out, "<tr><th rowspan=\"2\">{corner}</th>");
            for (name, columns) in &groups {
                let _ = write!(
                    out,
                    "<th scope=\"colgroup\" colspan=\"{}\">{}</th>",
                    columns.len(),
                    escape(name)
                );
            }
            out.push_str("</tr><tr>");
        } else {
            let _ = write!(out, "<tr><th>{corner}</th>");
        }
        let order: Vec<usize> = groups.into_iter().flat_map(|(_, of)| of).collect();
        for column in &order {
            let name = escape(&self.columns[*column].1);
            let _ = write!(out, "<th class=\"n\">{name}</th>");
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for (row, name) in self.rows.iter().enumerate() {
            let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escape(name));
            for column in &order {
                let here = |entry: &&(usize, usize, Entry)| (entry.0, entry.1) == (row, *column);
                match self.entries.iter().find(here) {
                    None => out.push_str("<td>–</td>"),
                    Some((.., entry)) => {
                        let _ = write!(
                            out,
                            "<td class=\"n {}\" title=\"{}\">{}</td>",
                            entry.class,
                            escape(&entry.hover),
                            escape(&entry.text)
                        );
                    }
                }
            }
            out.push_str("</tr>\n");
        }
        out + "</tbody>\n</table></div>\n"
    }
}

/// Where a name stands; at the end if it was not there.
fn place<T: PartialEq>(names: &mut Vec<T>, name: T) -> usize {
    let known = names.iter().position(|known| *known == name);
    known.unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_a_group_stand_together_and_gaps_are_seen() {
        let mut matrix = Matrix::default();
        let entry = |text: &str| Entry {
            class: "met",
            text: text.into(),
            hover: format!("all of <{text}>"),
        };
        matrix.put("one", ("closed", "a"), entry("1"));
        matrix.put("one", ("open", "a"), entry("2"));
        matrix.put("two", ("closed", "b"), entry("3"));
        let html = matrix.html("Model");
        assert!(html.contains("<th scope=\"colgroup\" colspan=\"2\">closed</th>"));
        let (_, body) = html.split_once("<tbody>").unwrap();
        let texts: Vec<_> = body.matches("<td").collect();
        assert_eq!(texts.len(), 6);
        // Of the second column nothing is known of the first row.
        assert!(
            body.contains("1</td><td>–</td><td class=\"n met\" title=\"all of &lt;2&gt;\">2</td>")
        );
    }
}
