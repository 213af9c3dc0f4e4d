//! Scripts that tests write and then run.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Makes a file that can be run. A child writes it: were it open for writing here, a process that another test starts meanwhile would have
/// it open too until it has become another program, and to run the file would fail as "text file busy" (execve(2), ETXTBSY).
pub(crate) fn write_executable(path: &Path, text: &str) {
    let mut child = Command::new("install")
        .args(["-m", "755", "/dev/stdin"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("coreutils");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(text.as_bytes()).expect("written");
    drop(input);
    assert!(child.wait().expect("ended").success(), "{}", path.display());
}
