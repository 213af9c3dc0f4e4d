//! Preconditions and ranges.

use super::Rows;
use super::Then::Kept;

pub(super) fn add(rows: &mut Rows) {
    const TAG: &str = "\"1a-ae1b981bc490aff-[changed]\"";
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    let with = |fields: &str| {
        let fields = fields
            .replace("TAG", TAG)
            .replace("DATE", DATE)
            .replace("EARLIER", EARLIER);
        format!("GET /file.txt HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n").into_bytes()
    };
    for (name, fields, status) in table![
        "If-None-Match, matching": "If-None-Match: TAG" => 304;
        "If-None-Match, matching weakly": "If-None-Match: \"x\", W/TAG" => 304;
        "If-None-Match, any": "If-None-Match: *" => 304;
        "If-None-Match, another": "If-None-Match: \"x\"" => 200;
        "If-None-Match wins over If-Modified-Since": "If-None-Match: \"x\"\r\nIf-Modified-Since: DATE" => 200;
        "If-Modified-Since, unmodified": "If-Modified-Since: DATE" => 304;
        "If-Modified-Since, modified": "If-Modified-Since: EARLIER" => 200;
        "If-Modified-Since, in RFC 850's form": "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT" => 304;
        "If-Modified-Since, a leap second": "If-Modified-Since: Sat, 31 Dec 2016 23:59:60 GMT" => 304;
        "If-Modified-Since, no date": "If-Modified-Since: yesterday" => 200;
        "If-Match, matching": "If-Match: TAG" => 200;
        "If-Match, weak never matches": "If-Match: W/TAG" => 412;
        "If-Match, another": "If-Match: \"x\"" => 412;
        "If-Unmodified-Since, unmodified": "If-Unmodified-Since: DATE" => 200;
        "If-Unmodified-Since, modified": "If-Unmodified-Since: EARLIER" => 412;
        "If-Match comes first": "If-Match: \"x\"\r\nIf-None-Match: TAG" => 412;
        "a range": "Range: bytes=2-4" => 206;
        "an open range": "Range: bytes=20-" => 206;
        "a suffix": "Range: bytes=-3" => 206;
        "a suffix longer than the file": "Range: bytes=-300" => 206;
        "a range beyond the end": "Range: bytes=24-99" => 206;
        "a range after the end": "Range: bytes=26-" => 416;
        "an empty suffix": "Range: bytes=-0" => 416;
        "a range backwards": "Range: bytes=4-2" => 200;
        "another unit": "Range: lines=1-2" => 200;
        "no range at all": "Range: bytes=" => 200;
        "a malformed range": "Range: bytes=a-b" => 200;
        "two ranges": "Range: bytes=0-0, -1" => 206;
        "ranges, one of them after the end": "Range: bytes=0-0,30-40" => 206;
        "ranges, all after the end": "Range: bytes=30-40,50-" => 416;
        "ranges that add up to more than the file": "Range: bytes=0-,0-" => 200;
        "twenty ranges": "Range: bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15,16-16,17-17,18-18,19-19" => 206;
        "If-Range, matching": "If-Range: TAG\r\nRange: bytes=0-1" => 206;
        "If-Range, weak": "If-Range: W/TAG\r\nRange: bytes=0-1" => 200;
        "If-Range, another": "If-Range: \"x\"\r\nRange: bytes=0-1" => 200;
        "If-Range, a date": "If-Range: DATE\r\nRange: bytes=0-1" => 206;
        "If-Range, two ranges": "If-Range: TAG\r\nRange: bytes=0-0, -1" => 206;
        "If-Range, another date": "If-Range: EARLIER\r\nRange: bytes=0-1" => 200;
        "a precondition comes before a range": "If-None-Match: TAG\r\nRange: bytes=0-1" => 304;
    ] {
        rows.add(name, &with(fields), status, Kept);
    }
    for (name, request, status, then) in table![
        "a range of an empty file": "GET /empty.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n" => 200 Kept;
        "a range and HEAD": "HEAD /file.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n" => 200 Kept;
        "HEAD, unmodified": "HEAD /file.txt HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n" => 304 Kept;
        "a range of what is not there": "GET /nowhere HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n" => 404 Kept;
    ] {
        rows.add(name, request.as_bytes(), status, then);
    }
    for (name, range) in [
        ("a range beyond 4 GiB", "4294967396-4294967401"),
        ("a suffix of a file of 5 GiB", "-7"),
        ("ranges on both sides of 4 GiB", "0-1,4294967396-4294967401"),
        (
            "the last byte before 4 GiB and the first after",
            "4294967295-4294967296",
        ),
    ] {
        rows.add(
            name,
            format!("GET /sparse.bin HTTP/1.1\r\nHost: h\r\nRange: bytes={range}\r\n\r\n")
                .as_bytes(),
            206,
            Kept,
        );
    }
    rows.add(
        "HEAD of a file of 5 GiB",
        b"HEAD /sparse.bin HTTP/1.1\r\nHost: h\r\n\r\n",
        200,
        Kept,
    );
    rows.add(
        "a range after its end",
        b"GET /sparse.bin HTTP/1.1\r\nHost: h\r\nRange: bytes=5368709127-\r\n\r\n",
        416,
        Kept,
    );
}
