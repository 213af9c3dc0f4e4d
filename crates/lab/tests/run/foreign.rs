//! A server that is not ours.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use results::{Outcome, Validity};

use crate::sandbox::Sandbox;

/// A server that is not ours, as a process. Answers what it is told to, until it is ended; a child of its own lives as long.
fn serve_as_somebody_else() {
    let variable = |name: &str| std::env::var(name).expect("set by the test");
    let port: u16 = variable("PORT").parse().expect("a port");
    let file = Path::new(&variable("ROOT")).join("file.txt");
    let body = fs::read(file).expect("the file");
    let head = format!(
        "HTTP/1.1 {} OK\r\nContent-Length: {}\r\n\r\n",
        variable("STATUS"),
        body.len()
    );
    let mut child = std::process::Command::new("sleep")
        .arg("1000")
        .spawn()
        .expect("sleep");
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port");
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(&[head.as_bytes(), &body].concat());
    }
    let _ = child.wait();
}

#[test]
fn a_server_that_is_not_ours_is_measured_beside_ours() {
    // The experiment below starts this very program, and this test alone, as that server.
    if std::env::var_os("STATUS").is_some() {
        return serve_as_somebody_else();
    }
    let servers = "[[server]]\nexternal = 'theirs'\n[[server]]\nexternal = 'theirs'\nname = 'refusing'\nvalues.status = 403\n\
        [[server]]\nexternal = 'absent'\n[[expect]]\ntext = 'a'\nratio = 'good / theirs <= 2'\n\
        [[expect]]\ntext = 'b'\nratio = 'good / absent <= 2'\n";
    let sandbox = Sandbox::new("['good']", servers);
    let external = sandbox.home.path().join("external");
    fs::create_dir(&external).expect("made");
    let exe = std::env::current_exe().expect("this program");
    let exe = exe.display();
    let theirs = "package = 'theirs'\nconfig = 'theirs.sh'\ncommand = 'sh @config@'\nversion = 'echo 1.2'\nvalues.status = 200\n";
    let script = format!(
        "PORT=@port@ ROOT='@root@' STATUS=@status@ exec {exe} --exact foreign::a_server_that_is_not_ours_is_measured_beside_ours\n"
    );
    fs::write(external.join("theirs.toml"), theirs).expect("written");
    fs::write(external.join("theirs.sh"), script).expect("written");
    let absent = "package = 'absent-server'\ncommand = 'no-such-server-anywhere'\n";
    fs::write(external.join("absent.toml"), absent).expect("written");

    let run = sandbox.done();
    let of = |name: &str| run.trials.iter().find(|trial| trial.level("model") == name);
    let theirs = of("theirs").expect("measured");
    assert_eq!(theirs.verdict, Validity::Valid, "{:?}", theirs.failure);
    let seen = theirs.server.as_ref().expect("a summary");
    assert!(
        seen.requests.is_none(),
        "the stand-in tells nobody how many it sent"
    );
    let last = theirs.samples.last().expect("watched");
    assert_eq!(last.processes, 2, "with its child");
    assert_eq!(seen.peak_processes, Some(2));
    let refusing = of("refusing")
        .and_then(|trial| trial.failure.as_ref())
        .expect("failed");
    assert!(
        refusing.reason.contains("said 'HTTP/1.1 403 OK'"),
        "{refusing:?}"
    );
    assert!(of("absent").is_none());
    let manifest = &run.manifest;
    assert!(
        manifest.notices[0].contains("apt-get install absent-server"),
        "{:?}",
        manifest.notices
    );
    assert_eq!(manifest.versions["theirs"], "1.2");
    assert!(
        manifest
            .configs
            .values()
            .any(|text| text.contains("ROOT='@root@'"))
    );
    let verdicts = run.verdicts.as_ref().expect("judged");
    assert_eq!(verdicts.expectations[0].outcome, Outcome::Met);
    assert_eq!(verdicts.expectations[1].outcome, Outcome::Undecided);
    let port = |word: &String| word.contains("archbench-theirs-");
    let work = theirs
        .server_command
        .iter()
        .find(|word| port(word))
        .expect("its configuration");
    assert!(!Path::new(work).exists(), "its directory is gone");
}
