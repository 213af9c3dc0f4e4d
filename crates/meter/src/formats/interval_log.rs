//! The log of histograms that the HdrHistogram libraries read.

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use std::time::{Duration, SystemTime};

use super::NANOS_PER_MS;

/// A histogram log, version 1.3: one compressed histogram for each interval. Kept in memory, a few kilobytes an interval.
pub struct IntervalLog {
    text: Vec<u8>,
    interval: Vec<u8>,
    serializer: V2DeflateSerializer,
}

impl IntervalLog {
    /// A log that begins at `start`.
    pub fn new(start: SystemTime, comment: &str) -> Self {
        let mut text = Vec::new();
        let epoch = start
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs_f64();
        for line in comment.lines() {
            text.extend_from_slice(super::comment(line).as_bytes());
        }
        let head = format!(
            "#[Histogram log format version 1.3]\n#[StartTime: {epoch:.3} (seconds since epoch)]\n\
             \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
        );
        text.extend_from_slice(head.as_bytes());
        Self {
            text,
            interval: Vec::new(),
            serializer: V2DeflateSerializer::new(),
        }
    }

    /// Adds an interval that began `from` after the start. Tools show those without a tag unless told otherwise. Tags have no commas, spaces or line ends.
    pub fn add(
        &mut self,
        histogram: &Histogram<u64>,
        from: Duration,
        length: Duration,
        tag: Option<&str>,
    ) {
        self.interval.clear();
        let written = IntervalLogWriterBuilder::new()
            // The log's own column of maxima is in milliseconds, as its readers expect.
            .with_max_value_divisor(NANOS_PER_MS)
            .begin_log_with(&mut self.interval, &mut self.serializer)
            .map(|mut log| log.write_histogram(histogram, from, length, tag.and_then(Tag::new)));
        // The writer begins with a comment on its settings; one for each interval would be too many.
        let lines = self.interval.split_inclusive(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.starts_with(b"#")) {
            self.text.extend_from_slice(line);
        }
        debug_assert!(
            matches!(written, Ok(Ok(()))),
            "memory takes what is written, and every histogram of counts can be serialised"
        );
    }

    /// Adds a line that tools pass over.
    pub fn comment(&mut self, text: &str) {
        self.text.extend_from_slice(super::comment(text).as_bytes());
    }

    /// The log so far.
    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::thousand;
    use super::*;
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD as STANDARD;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    #[test]
    fn the_log_is_read_back() {
        let mut log = IntervalLog::new(
            SystemTime::UNIX_EPOCH + Duration::from_secs(10),
            "made by a test",
        );
        let second = Duration::from_secs(1);
        log.add(&thousand(), Duration::ZERO, second, None);
        log.add(&thousand(), second, second, Some("service"));
        let text = std::str::from_utf8(log.text()).unwrap();
        assert_eq!(text.matches("#[").count(), 3, "{text}");
        assert!(
            text.contains("#[StartTime: 10.000 (seconds since epoch)]"),
            "{text}"
        );
        // The library's own reader knows no legend; the standard one does.
        let body: Vec<u8> = text
            .lines()
            .filter(|line| !line.starts_with('"'))
            .flat_map(|line| [line.as_bytes(), b"\n"].concat())
            .collect();
        let intervals: Vec<_> = IntervalLogIterator::new(&body)
            .filter_map(|entry| match entry.unwrap() {
                LogEntry::Interval(interval) => Some(interval),
                _ => None,
            })
            .collect();
        assert_eq!(intervals.len(), 2);
        assert_eq!(intervals[1].tag().map(|tag| tag.as_str()), Some("service"));
        assert_eq!(intervals[0].max(), 1000.342);
        let bytes = STANDARD.decode(intervals[0].encoded_histogram()).unwrap();
        let back: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
        assert_eq!(back, thousand());
    }
}
