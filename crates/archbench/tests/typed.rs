//! What people type beside options and numbers: paths of any bytes, `-`, secrets; and where what comes of it ends up.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

/// A server on a port of its own that answers everything well, and tells the head of each request. It ends with the test.
fn server() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tell = tell.clone();
            std::thread::spawn(move || answer(stream, &tell));
        }
    });
    (address, told)
}

fn answer(stream: TcpStream, tell: &Sender<String>) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let body = if head.starts_with("HEAD") { "" } else { "x" };
        // A test that has ended listens no more.
        let _ = tell.send(head);
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{body}");
        writer.write_all(answer.as_bytes()).ok()?;
    }
}

fn archbench() -> Command {
    Command::new(env!("CARGO_BIN_EXE_archbench"))
}

/// Runs it with something on standard input.
fn fed(command: &mut Command, input: &[u8]) -> Output {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().expect("it runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input).expect("taken");
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[test]
fn names_of_files_may_be_any_bytes() {
    let (address, _told) = server();
    let home = tempfile::tempdir().expect("a directory");
    let at = |name: &[u8]| home.path().join(OsStr::from_bytes(name));
    let (urls, report, log) = (at(b"\xffurls"), at(b"\xfereport"), at(b"\xfdlog"));
    std::fs::write(&urls, format!("http://{address}/")).expect("written");
    let mut command = archbench();
    command.args(["load", "-n", "20", "-c", "2", "--output-format", "json"]);
    command.arg("--urls-file").arg(&urls).arg("-o").arg(&report);
    let output = command.arg("--hlog").arg(&log).output().expect("it runs");
    let said = text(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&report).expect("a report")).expect("JSON");
    assert_eq!(json["requests"]["completed"], 20);
    let arguments = json["run"]["arguments"].to_string();
    assert!(arguments.contains("\u{fffd}urls"), "{arguments}");
    assert!(results::Hlog::read(&log).is_ok());
}

#[test]
fn no_command_panics_on_names_that_are_no_text() {
    let home = tempfile::tempdir().expect("a directory");
    let name = home.path().join(OsStr::from_bytes(b"no\xff/such"));
    for line in [
        "load --urls-file",
        "load --replay",
        "load --slo-file",
        "load -o",
        "load --hlog",
        "load --arrival",
        "load",
        "load -H",
        "serve --root",
        "serve --model",
        "run",
        "run --resume",
        "report",
        "plot cdf",
        "slo",
        "compare x",
        "search --slo-file",
        "files single:1k",
        "models",
        "disk x",
    ] {
        let output = archbench().args(line.split(' ')).arg(&name).output();
        let output = output.expect("it runs");
        let said = text(&output.stderr);
        let (ended, failed) = (output.status.code(), said.starts_with("error: "));
        // A set of files may be made anywhere.
        assert_eq!(failed, !line.starts_with("files"), "{line}: {said}");
        assert_eq!(matches!(ended, Some(1 | 2)), failed, "{line}: {said}");
        assert!(!said.contains("panicked"), "{line}: {said}");
    }
}

#[test]
fn urls_come_from_standard_input_as_vegeta_has_them() {
    let (address, told) = server();
    let input =
        format!("\u{feff}# two\r\nGET http://{address}/a\r\n\r\nHEAD http://{address}/b 3\r\n");
    let line = "load --urls-file - -n 40 -c 1 --quiet --output-format json -o -";
    let output = fed(archbench().args(line.split(' ')), input.as_bytes());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        json["requests"]["completed"],
        40,
        "{}",
        text(&output.stderr)
    );
    let heads: Vec<_> = told.iter().take(40).collect();
    let asked = |start: &str| heads.iter().filter(|head| head.starts_with(start)).count();
    assert_eq!(asked("GET /a ") + asked("HEAD /b "), 40);
    assert!(asked("HEAD /b ") > asked("GET /a ") && asked("GET /a ") > 0);
}

#[test]
fn other_inputs_come_from_standard_input_too() {
    let (address, _told) = server();
    let url = format!("http://{address}/");
    let logged = "h - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 1\n";
    for (line, input) in [
        ("--slo-file - -n 3", "\u{feff}errors<1 # none\n"),
        ("--arrival trace:-", "\u{feff}0\n1e-3\n2.5E-03\n"),
        ("--replay - -n 3", &format!("\u{feff}{logged}")),
    ] {
        let typed = format!("load {url} {line} -c 1 --quiet --output-format json");
        let output = fed(archbench().args(typed.split(' ')), input.as_bytes());
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(
            json["requests"]["completed"],
            3,
            "{line}: {}",
            text(&output.stderr)
        );
    }
    let two = format!("load {url} --slo-file - --arrival trace:-");
    let output = fed(archbench().args(two.split(' ')), b"");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
}

#[test]
fn secrets_are_sent_and_not_kept() {
    let (address, told) = server();
    let url = format!("http://{address}/");
    let home = tempfile::tempdir().expect("a directory");
    for format in ["text", "json", "csv", "hgrm", "hlog"] {
        let (report, log) = (home.path().join(format), home.path().join("log"));
        let mut command = archbench();
        command.args([
            "load",
            &url,
            "-n",
            "5",
            "-c",
            "1",
            "--output-format",
            format,
        ]);
        command.args(["-H", "Authorization: Bearer hunter2", "-Hcookie: a=hunter2"]);
        command.args([
            "--header=Proxy-Authorization:hunter2",
            "-H",
            "X-Api-Key: hunter2",
        ]);
        command.arg("--hlog").arg(&log).arg("-o").arg(&report);
        let output = command.output().expect("it runs");
        let kept = [report.as_path(), &log].map(|path| std::fs::read(path).expect("written"));
        for kept in kept.iter().chain([&output.stdout, &output.stderr]) {
            assert!(!text(kept).contains("hunter2"), "{format}: {}", text(kept));
        }
        if format == "json" {
            let json: serde_json::Value = serde_json::from_slice(&kept[0]).expect("JSON");
            let arguments = json["run"]["arguments"].to_string();
            assert_eq!(arguments.matches("***").count(), 4, "{arguments}");
        }
        let head = told.recv().expect("a request");
        assert_eq!(head.matches("hunter2").count(), 4, "{head}");
        while told.try_recv().is_ok() {}
    }
}

/// What cannot be known before the run: the folder of the report goes away while it is under way.
#[test]
fn a_report_whose_file_went_away_is_shown_instead() {
    let (address, told) = server();
    let home = tempfile::tempdir().expect("a directory");
    let folder = home.path().join("folder");
    std::fs::create_dir(&folder).expect("a folder");
    let (report, log) = (folder.join("report.json"), folder.join("log"));
    let mut command = archbench();
    command.args(["load", &format!("http://{address}/"), "-n", "2", "-c", "1"]);
    command.args(["--think", "300ms", "--output-format", "json", "--hlog"]);
    command.arg(&log).arg("-o").arg(&report);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    told.recv().expect("a request");
    std::fs::remove_dir(&folder).expect("removed");
    let (mut shown, mut said) = (Vec::new(), String::new());
    let stdout = child.stdout.as_mut().expect("piped");
    stdout.read_to_end(&mut shown).expect("read");
    let stderr = child.stderr.as_mut().expect("piped");
    stderr.read_to_string(&mut said).expect("read");
    assert_eq!(child.wait().expect("it ends").code(), Some(1), "{said}");
    let json: serde_json::Value = serde_json::from_slice(&shown).expect("JSON");
    assert_eq!(json["requests"]["completed"], 2);
    let error = said.lines().find(|line| line.starts_with("error: "));
    assert!(
        error.is_some_and(|error| error.contains("cannot write")),
        "{said}"
    );
    assert!(!Path::new(&report).exists());
}

#[test]
fn ctrl_c_ends_a_load_though_a_shell_had_it_ignored_and_a_report_follows() {
    let (address, told) = server();
    let child = Command::new("sh")
        .args(["-c", r#"trap '' INT; exec "$0" "$@""#])
        .arg(archbench().get_program())
        .args(["load", &format!("http://{address}/"), "-c", "1"])
        .args("--think 10ms -d 1m --quiet --output-format json".split(' '))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    told.recv().expect("a request");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("sent");
    let output = child.wait_with_output().expect("it ends");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let elapsed = json["throughput"]["window_s"].as_f64().expect("a window");
    assert!(elapsed < 50.0, "{json}");
    assert!(json["requests"]["sent"].as_u64() > Some(0), "{json}");
}
