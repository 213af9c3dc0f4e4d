//! Paths, and how they are written.

use super::Rows;
use super::Then::{Closed, Kept};

pub(super) fn add(rows: &mut Rows) {
    for (name, target, status) in table![
        "a file": "/file.txt" => 200;
        "a file from the content cache, beside its head": "/again.txt" => 200;
        "an empty file": "/empty.txt" => 200;
        "the root's index": "/" => 200;
        "the root's index by name": "/index.html" => 200;
        "a directory's index": "/dir/" => 200;
        "a directory without its slash": "/dir" => 301;
        "a directory without its slash, with a query": "/dir?a=b&c=%20" => 301;
        "a directory with a space": "/spaced%20dir" => 301;
        "a redirect never names another host": "//dir" => 301;
        "nor does it after dots": "//evil.example/%2e%2e/dir" => 301;
        "a directory without an index": "/bare" => 404;
        "a directory without an index, with its slash": "/bare/" => 404;
        "a file below it": "/bare/file.txt" => 200;
        "another type": "/dir/deep/x.css" => 200;
        "a query is no part of the name": "/file.txt?x=/../y" => 200;
        "nothing there": "/nowhere" => 404;
        "nothing there, deeper": "/nowhere/deeper" => 404;
        "a file is no directory": "/file.txt/" => 404;
        "nor has it anything below it": "/file.txt/x" => 404;
        "an escape": "/%66ile.txt" => 200;
        "an escaped space": "/a%20b.txt" => 200;
        "an escaped percent sign": "/100%25.txt" => 200;
        "escapes are decoded once": "/%2566ile.txt" => 404;
        "a plus sign is a plus sign": "/a+b.txt" => 404;
        "a name that is no text": "/%ff%fe.txt" => 200;
        "an escaped NUL": "/file.txt%00" => 400;
        "an escaped slash": "/dir%2finner.txt" => 400;
        "a broken escape": "/%zz" => 400;
        "a cut escape": "/%4" => 400;
        "empty segments": "//dir///inner.txt" => 200;
        "dots": "/./dir/./inner.txt" => 200;
        "dots inside the root": "/dir/../file.txt" => 200;
        "dots at the end": "/dir/deep/.." => 200;
        "dots above the root": "/../file.txt" => 404;
        "dots far above the root": "/../../../../etc/passwd" => 404;
        "escaped dots": "/%2e%2e/%2e%2e/etc/passwd" => 404;
        "half-escaped dots": "/dir/.%2E/../../etc/passwd" => 404;
        "dots above the root and back": "/dir/../../x/../file.txt" => 404;
        "backslashes are bytes like others": "/..\\..\\etc\\passwd" => 404;
        "a symbolic link": "/link.txt" => 200;
        "a symbolic link up, inside the root": "/dir/up.txt" => 200;
        "a symbolic link to a symbolic link": "/chain.txt" => 200;
        "a symbolic link of another type": "/styled.css" => 200;
        "a symbolic link to a directory": "/linked-dir" => 301;
        "through it": "/linked-dir/inner.txt" => 200;
        "a symbolic link out of the root": "/out.txt" => 404;
        "a symbolic link to a directory outside": "/out-dir/passwd" => 404;
        "that directory itself": "/out-dir" => 404;
        "a symbolic link that climbs": "/climb.txt" => 404;
        "a symbolic link that goes down and climbs": "/there-and-back.txt" => 404;
        "a loop of symbolic links": "/loop-a" => 404;
        "a symbolic link to nothing": "/dangling" => 404;
        "a magic link": "/magic/etc/passwd" => 404;
        "a FIFO": "/fifo" => 404;
        "a symbolic link to a FIFO": "/dir/to-fifo" => 404;
        "a socket": "/socket" => 404;
        "a dotfile": "/.hidden" => 404;
        "a dotfile in a directory": "/dir/.hidden" => 404;
        "a file in a dot directory": "/.dotdir/file.txt" => 404;
        "an escaped dotfile": "/%2ehidden" => 404;
    ] {
        rows.add(
            name,
            format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes(),
            status,
            Kept,
        );
    }
    let long = |length: usize| {
        format!(
            "GET /{} HTTP/1.1\r\nHost: h\r\n\r\n",
            "a".repeat(length - 1)
        )
    };
    rows.add(
        "a name too long for the file system",
        long(300).as_bytes(),
        404,
        Kept,
    );
    rows.add(
        "a path too long for the file system",
        format!(
            "GET {} HTTP/1.1\r\nHost: h\r\n\r\n",
            "/abcdefg".repeat(1000)
        )
        .as_bytes(),
        404,
        Kept,
    );
    rows.add("the longest target", long(8192).as_bytes(), 404, Kept);
    rows.add("a target too long", long(8193).as_bytes(), 414, Closed);
    rows.add(
        "a target that never ends",
        format!("GET /{}", "a".repeat(40_000)).as_bytes(),
        414,
        Closed,
    );
    rows.add(
        "a method too long",
        &[
            &b"BREW".repeat(3000)[..],
            b" /pot HTTP/1.1\r\nHost: h\r\n\r\n",
        ]
        .concat(),
        501,
        Closed,
    );
}
