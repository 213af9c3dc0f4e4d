//! The blocking graph, as it is told and written at the end.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use arch::{BlockingEdge, context};
use fiber::Graph;

/// A file for the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFile {
    path: PathBuf,
    is_picture: bool,
}

/// The same when it is there, to be written to.
pub(crate) struct Created {
    name: GraphFile,
    file: File,
}

/// Reads the name of a file for the graph, whose ending says what is to be in it.
pub(crate) fn file(text: &str) -> Result<GraphFile, String> {
    let path = PathBuf::from(text);
    let ending = path.extension().and_then(|ending| ending.to_str());
    let is_picture = match ending {
        Some("svg") => true,
        Some("dot") => false,
        _ => return Err("must be a file that ends in .svg or .dot, like graph.svg".into()),
    };
    Ok(GraphFile { path, is_picture })
}

impl GraphFile {
    /// Makes the file, so that it is found out to be impossible at the start and not at the end.
    pub(crate) fn create(&self) -> io::Result<Created> {
        let file = File::create(&self.path).map_err(context(self.refusal()))?;
        Ok(Created {
            name: self.clone(),
            file,
        })
    }

    fn refusal(&self) -> String {
        format!(
            "cannot write {}; choose a file that can be made with --graph",
            self.path.display()
        )
    }
}

impl Created {
    pub(crate) fn write(mut self, edges: &[BlockingEdge]) -> io::Result<()> {
        let text = match self.name.is_picture {
            true => graph_drawing::svg(
                edges,
                "blocking-graph",
                "Blocking graph",
                "Where connections wait, and the ways that they go between these places.",
            ),
            false => graph_drawing::dot(edges),
        };
        let written = self.file.write_all(text.as_bytes());
        written.map_err(context(self.name.refusal()))
    }
}

/// The graph in the words of the summary.
pub(crate) fn edges(graph: &Graph) -> Vec<BlockingEdge> {
    let edges = graph.edges.iter().map(|edge| BlockingEdge {
        from: edge.from.name(),
        to: edge.to.name(),
        count: Some(edge.count),
        mean_us: edge.time.map(|time| time.as_nanos() as f64 / 1e3),
        memory_bytes: Some(edge.taken.memory_bytes as f64),
        descriptors: Some(edge.taken.descriptors as f64),
        ..BlockingEdge::default()
    });
    edges.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_what_is_in_the_file() {
        let read = |name| file(name).map(|file| file.is_picture);
        assert_eq!(read("a.svg"), Ok(true));
        assert_eq!(read("x/b.dot"), Ok(false));
        for wrong in ["graph", "graph.png", ".svg", ""] {
            assert!(read(wrong).unwrap_err().contains(".svg or .dot"), "{wrong}");
        }
    }
}
