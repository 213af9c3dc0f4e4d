//! What a server can do with a request that was passed on to it, and what becomes of the answer.

use crate::played::Do;
use crate::played::Do::{Close, Keep, Pause, Reset, Say};
use Outcome::{Page, Short, Whole};

/// What a client is told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    /// All of this.
    Whole(u16, &'static str),
    /// A page of ours.
    Page(u16),
    /// This much, and then the connection ends short.
    Short(u16, &'static str),
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
pub(crate) const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const UNTIL_CLOSE: &str = "HTTP/1.0 200 OK\r\n\r\n";

/// What the other server does when it is asked, and what becomes of the answer. It may be silent for 800 ms.
pub(crate) const TABLE: &[(&str, &[Do], Outcome)] = &[
    ("a length", &[Say(OK), Say("hello")], Whole(200, "hello")),
    (
        "a length, slowly",
        &[
            Say("HTTP/1.1 200 OK\r\nConte"),
            Pause(60),
            Say("nt-Length: 5\r\n\r\n"),
            Pause(60),
            Say("he"),
            Pause(60),
            Say("llo"),
        ],
        Whole(200, "hello"),
    ),
    (
        "no body",
        &[Say("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")],
        Whole(404, ""),
    ),
    (
        "chunks",
        &[Say(CHUNKED), Say("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")],
        Whole(200, "hello"),
    ),
    (
        "chunks, slowly, with extensions and trailers",
        &[
            Say(CHUNKED),
            Pause(60),
            Say("2;a=b\r\nhe\r\n"),
            Pause(60),
            Say("3\r\nllo\r"),
            Pause(60),
            Say("\n0\r\nX-T: 1\r\n\r\n"),
        ],
        Whole(200, "hello"),
    ),
    (
        "until it closes",
        &[Say(UNTIL_CLOSE), Say("hello"), Close],
        Whole(200, "hello"),
    ),
    (
        "until it closes, slowly",
        &[
            Say(UNTIL_CLOSE),
            Say("he"),
            Pause(60),
            Say("llo"),
            Pause(60),
            Close,
        ],
        Whole(200, "hello"),
    ),
    (
        "hints before the answer",
        &[
            Say("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"),
            Say(OK),
            Say("hello"),
        ],
        Whole(200, "hello"),
    ),
    (
        "an error of its own",
        &[Say("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy")],
        Whole(503, "busy"),
    ),
    (
        "more than was asked",
        &[Say(OK), Say("helloHTTP/1.1 200 OK\r\n\r\n")],
        Whole(200, "hello"),
    ),
    ("the end before an answer", &[Close], Page(502)),
    ("a reset before an answer", &[Reset], Page(502)),
    (
        "the end within the head",
        &[Say("HTTP/1.1 200 OK\r\nContent-Le"), Close],
        Page(502),
    ),
    ("no HTTP", &[Say("SSH-2.0-OpenSSH\r\n"), Keep], Page(502)),
    (
        "no status",
        &[Say("HTTP/1.1 abc OK\r\n\r\n"), Keep],
        Page(502),
    ),
    (
        "a broken field",
        &[Say("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), Keep],
        Page(502),
    ),
    (
        "a folded field",
        &[
            Say("HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
            Keep,
        ],
        Page(502),
    ),
    (
        "two lengths",
        &[
            Say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
            Keep,
        ],
        Page(502),
    ),
    (
        "a length and chunks",
        &[
            Say(
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ),
            Keep,
        ],
        Page(502),
    ),
    (
        "a coding",
        &[
            Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
            Keep,
        ],
        Page(502),
    ),
    (
        "another protocol",
        &[Say("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"), Keep],
        Page(502),
    ),
    (
        "a broken chunk at once",
        &[
            Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            Keep,
        ],
        Page(502),
    ),
    ("silence", &[Keep], Page(504)),
    (
        "silence within the head",
        &[Say("HTTP/1.1 200 OK\r\n"), Keep],
        Page(504),
    ),
    (
        "hints and then silence",
        &[Say("HTTP/1.1 103 Early Hints\r\n\r\n"), Keep],
        Page(504),
    ),
    (
        "the end within a length",
        &[Say(OK), Pause(60), Say("he"), Pause(60), Close],
        Short(200, "he"),
    ),
    (
        "a reset within a length",
        &[Say(OK), Pause(60), Say("he"), Pause(60), Reset],
        Short(200, "he"),
    ),
    (
        "the end within a chunk",
        &[Say(CHUNKED), Pause(60), Say("5\r\nhe"), Pause(60), Close],
        Short(200, "he"),
    ),
    (
        "the end before the last chunk",
        &[
            Say(CHUNKED),
            Pause(60),
            Say("2\r\nhe\r\n"),
            Pause(60),
            Close,
        ],
        Short(200, "he"),
    ),
    (
        "a broken chunk",
        &[
            Say(CHUNKED),
            Pause(60),
            Say("2\r\nhe\r\n"),
            Pause(60),
            Say("zz\r\n"),
            Keep,
        ],
        Short(200, "he"),
    ),
    (
        "silence within a length",
        &[Say(OK), Pause(60), Say("he"), Keep],
        Short(200, "he"),
    ),
    (
        "silence within a chunk",
        &[Say(CHUNKED), Pause(60), Say("5\r\nhe"), Keep],
        Short(200, "he"),
    ),
];
