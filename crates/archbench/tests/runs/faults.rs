//! Servers that fail in the middle of a trial, under the real generator: each fails its trial, with the reason, and not the run.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::{ARCHBENCH, Sandbox, said};

/// How long each is well.
const WELL: Duration = Duration::from_millis(400);

/// Answers requests for a while from the first on, and then does something else.
fn server(then: fn(&mut TcpStream) -> Option<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        let mut began = None;
        for mut stream in listener.incoming().flatten() {
            let began = *began.get_or_insert_with(Instant::now);
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                while stream.read(&mut request).ok()? > 0 {
                    if began.elapsed() < WELL {
                        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n";
                        stream
                            .write_all(&[&head[..], &[b'x'; 1024]].concat())
                            .ok()?;
                    } else {
                        then(&mut stream)?;
                    }
                }
                Some(())
            });
        }
    });
    address
}

#[test]
fn each_fails_its_trial_and_not_the_run() {
    let sandbox = Sandbox::of(
        "['well', 'dies', 'hangs', 'closes', 'garbage']",
        "duration = '1500ms'\nwarm_up = '100ms'\nrepeats = 1\ncache = 'as-is'\n",
    );
    let hangs = server(|_| {
        std::thread::sleep(Duration::from_secs(3600));
        None
    });
    let closes = server(|_| None);
    let garbage = server(|stream| stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").ok());
    // The well one is real.
    sandbox.script(
        "serve",
        &format!(
            "ready() {{ echo \"{{\\\"event\\\":\\\"ready\\\",\\\"address\\\":\\\"$1\\\"}}\"; }}\n\
             case \"$*\" in\n\
             *'--model well'*) shift 3; exec {ARCHBENCH} serve --model sped \"$@\" ;;\n\
             *'--model dies'*) ready {hangs}; sleep 0.6; echo 'out of luck' >&2; exit 9 ;;\n\
             *'--model hangs'*) ready {hangs} ;;\n\
             *'--model closes'*) ready {closes} ;;\n\
             *'--model garbage'*) ready {garbage} ;;\n\
             esac\n\
             while :; do sleep 0.02; done\n"
        ),
    );
    sandbox.script("load", &format!("exec {ARCHBENCH} \"$@\"\n"));
    let output = sandbox.run(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    sandbox.check_servers();
    let run = results::read(&sandbox.folders()[0]).expect("readable");
    assert_eq!(run.trials.len(), 5);
    for (model, expected) in [
        (
            "dies",
            "serving: in the middle of the trial it ended with status 9 and said: out of luck",
        ),
        ("hangs", "serving: the server fell silent: "),
        ("closes", "serving: the server fell silent: "),
        ("garbage", "serving: the server fell silent: "),
    ] {
        let trial = run
            .trials
            .iter()
            .find(|trial| trial.level("model") == model);
        let failure = trial
            .and_then(|trial| trial.failure.as_ref())
            .unwrap_or_else(|| panic!("{model} failed: {}", said(&output)));
        let text = format!("{}: {}", failure.step, failure.reason);
        assert!(text.starts_with(expected), "{model}: {text}");
    }
    // A busy machine may make it INVALID, but it was measured.
    let well = run
        .trials
        .iter()
        .find(|trial| trial.level("model") == "well")
        .expect("there");
    assert!(
        well.failure.is_none() && results::Figure::Throughput.of(well) > Some(1.0),
        "{:?}",
        well.failure
    );
}
