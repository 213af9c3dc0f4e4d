//! Our servers over TLS and in HTTP/2, asked by clients of others: whole bodies, sessions that are resumed, protocols that are agreed on,
//! and how a connection ends.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use lab::Failure;
use lab::trial::process::{Placement, Process, describe};

use super::is_all_good;
use crate::client;
use crate::server::Server;
use crate::testbed::Testbed;

/// How long a client may take, in seconds.
const LIMIT_S: u64 = 120;
/// What Python does, which is the server's last client.
const PYTHON: &str = include_str!("connection.py");

/// What a server is asked for.
struct Asked<'a> {
    /// Where it listens, without its scheme.
    address: &'a str,
    url: &'a str,
    /// What it shows over TLS.
    certificate: Option<&'a str>,
    /// Paths in a URL, and what is there.
    files: Vec<(&'a str, Vec<u8>)>,
    requests: u64,
}

/// A client that is not ours: its program, and all that is tried with it.
type Client = (&'static str, fn(&Asked<'_>) -> Result<(), String>);

const CLIENTS: [Client; 4] = [
    ("curl", curl),
    ("h2load", h2load),
    ("nghttp", nghttp),
    ("openssl", openssl),
];

/// Has all that are installed ask a model, in the clear and over TLS, for files of the root; a line for each. How many there were.
///
/// # Errors
/// The first that is not content.
pub(super) fn run(
    testbed: &Testbed,
    (archbench, model): (&Path, &str),
    paths: &[String],
    requests: u64,
) -> Result<usize, Failure> {
    let mut tried = 0;
    for options in ["--http2 on", "--tls --http2 on"] {
        let name = format!("{model} {options}");
        let server = Server::ours(testbed, archbench, &name, &testbed.root())?;
        let (url, certificate) = (server.url.clone(), server.certificate.clone());
        let certificate = certificate.as_deref().map(Path::to_string_lossy);
        let file = |path: &String| testbed.root().join(path.trim_start_matches('/'));
        let asked = Asked {
            address: url.split_once("://").map_or(&*url, |(_, address)| address),
            url: &url,
            certificate: certificate.as_deref(),
            files: paths
                .iter()
                .map(|path| Ok((path.as_str(), fs::read(file(path))?)))
                .collect::<std::io::Result<_>>()
                .map_err(|error| format!("cannot read what is served: {error}"))?,
            requests,
        };
        for (program, all_is_well) in CLIENTS {
            let is_for_tls = program == "openssl";
            if !client::is_installed(program) || is_for_tls && certificate.is_none() {
                continue;
            }
            all_is_well(&asked).map_err(|what| format!("{program} and {name}: {what}"))?;
            tried += 1;
            println!("{program:<16} and {name}: all is well");
        }
        match python() {
            None => {
                server.stop()?;
            }
            Some(python) => {
                let files: Vec<_> = paths.iter().map(|path| (path, file(path))).collect();
                see_it_stop(testbed, server, &python, &files)
                    .map_err(|what| format!("Python's ssl and h2 and {name}: {what}"))?;
                tried += 1;
                println!("{:<16} and {name}: all is well", "ssl and h2");
            }
        }
    }
    Ok(tried)
}

/// Says who is left out.
pub(super) fn tell_missing() {
    for (program, _) in CLIENTS {
        if !client::is_installed(program) {
            eprintln!("{program} is left out, as it is not installed");
        }
    }
    if python().is_none() {
        eprintln!("Python's h2 is left out, as it is not installed: apt-get install python3-h2");
    }
}

/// curl: every file whole by each protocol, then many requests over one connection.
fn curl(asked: &Asked<'_>) -> Result<(), String> {
    let (first, second) = match asked.certificate {
        Some(_) => ("--http1.1", "--http2"),
        None => ("--http1.1", "--http2-prior-knowledge"),
    };
    for (option, version) in [(first, "1.1"), (second, "2")] {
        let trust = match asked.certificate {
            Some(certificate) => &["--cacert", certificate][..],
            None => &[],
        };
        let curl = [&["curl", "-sS", "--fail", option][..], trust].concat();
        for (path, body) in &asked.files {
            let url = format!("{}{path}", asked.url);
            is_body(&run_to_end(&[&curl[..], &[&url]].concat(), b"")?, body)?;
            // curl 7.88 takes no connection with prior knowledge for a second request, whoever serves.
            if option == "--http2-prior-knowledge" {
                continue;
            }
            let many = format!("{url}?[1-{}]", asked.requests);
            let quiet = [
                "-o",
                "/dev/null",
                "-w",
                "%{http_code} %{http_version}\n",
                &many,
            ];
            let text = text(&run_to_end(&[&curl[..], &quiet].concat(), b"")?);
            let expected = format!("200 {version}");
            let good = text.lines().filter(|line| *line == expected).count() as u64;
            if good != asked.requests {
                return Err(format!(
                    "{option}: {good} of {} were '{expected}'",
                    asked.requests
                ));
            }
        }
    }
    if asked.certificate.is_none() {
        return Ok(());
    }
    // Whoever is told to believe nobody does not; whoever believes everybody does.
    let url = format!("{}{}", asked.url, asked.files[0].0);
    is_body(
        &run_to_end(&["curl", "-sS", "-k", &url], b"")?,
        &asked.files[0].1,
    )?;
    match run_to_end(&["curl", "-sS", &url], b"") {
        Ok(_) => Err("it believes a certificate that it knows nothing of".to_owned()),
        Err(_) => Ok(()),
    }
}

/// h2load: many requests over two connections, one after the other and several at a time.
fn h2load(asked: &Asked<'_>) -> Result<(), String> {
    let requests = asked.requests.to_string();
    let connections = asked.requests.min(2).to_string();
    let by_http1 = asked.certificate.map(|_| &["--h1"][..]);
    for more in [Some(&["-m1"][..]), Some(&["-m8"]), by_http1]
        .into_iter()
        .flatten()
    {
        for (path, _) in &asked.files {
            let url = format!("{}{path}", asked.url);
            let command = ["h2load", "-n", &requests, "-c", &connections];
            let said = text(&run_to_end(&[&command[..], more, &[&url]].concat(), b"")?);
            if !is_all_good(&said, asked.requests) {
                return Err(format!("{more:?} {path}: {}", said.trim()));
            }
        }
    }
    Ok(())
}

/// nghttp: every file whole.
fn nghttp(asked: &Asked<'_>) -> Result<(), String> {
    for (path, body) in &asked.files {
        let url = format!("{}{path}", asked.url);
        is_body(
            &run_to_end(&["nghttp", "--no-verify-peer", &url], b"")?,
            body,
        )?;
    }
    Ok(())
}

/// s_client: both versions of TLS, sessions that are resumed, protocols that are agreed on.
fn openssl(asked: &Asked<'_>) -> Result<(), String> {
    let Some(certificate) = asked.certificate else {
        return Ok(());
    };
    let (path, body) = &asked.files[0];
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        asked.address
    );
    let client = ["openssl", "s_client", "-connect", asked.address];
    let trusting = ["-CAfile", certificate, "-verify_return_error"];
    let client = [&client[..], &trusting].concat();
    let session = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let session = session.path().to_string_lossy();
    for version in ["-tls1_2", "-tls1_3"] {
        let asking = [&client[..], &[version, "-ign_eof"]].concat();
        let quiet = [&asking[..], &["-quiet"]].concat();
        is_body(&run_to_end(&quiet, request.as_bytes())?, body)
            .map_err(|what| format!("{version}: {what}"))?;
        for (option, said) in [("-sess_out", "New, TLSv1."), ("-sess_in", "Reused, TLSv1.")] {
            let command = [&asking[..], &[option, &session]].concat();
            let text = text(&run_to_end(&command, request.as_bytes())?);
            if !text.contains(said) {
                return Err(format!(
                    "{version} {option} should say '{said}': {}",
                    text.trim()
                ));
            }
        }
    }
    for protocol in ["http/1.1", "h2"] {
        let text = text(&run_to_end(
            &[&client[..], &["-alpn", protocol]].concat(),
            b"",
        )?);
        if !text.contains(&format!("ALPN protocol: {protocol}")) {
            return Err(format!(
                "-alpn {protocol} is not agreed on: {}",
                text.trim()
            ));
        }
    }
    match run_to_end(&[&client[..], &["-alpn", "spdy/1"]].concat(), b"") {
        Err(what) if what.contains("no application protocol") => Ok(()),
        odd => Err(format!(
            "-alpn spdy/1 should be refused by an alert: {odd:?}"
        )),
    }
}

/// The Python that has both.
fn python() -> Option<PathBuf> {
    let has_both = |python: &&str| {
        let found = run_to_end(&[python, "-c", "import h2, ssl"], b"");
        found.is_ok()
    };
    // The distribution's packages are those of its own one.
    ["python3", "/usr/bin/python3"]
        .into_iter()
        .find(has_both)
        .map(PathBuf::from)
}

/// Has the server stop while a client holds a connection to it.
fn see_it_stop(
    testbed: &Testbed,
    server: Server,
    python: &Path,
    files: &[(&String, PathBuf)],
) -> Result<(), Failure> {
    let certificate = server.certificate.as_deref();
    let address = server.url.split_once("://").map(|(_, address)| address);
    let (host, port) = address
        .and_then(|address| address.rsplit_once(':'))
        .ok_or("the server has no port")?;
    let mut command = vec![
        python.display().to_string(),
        "-c".to_owned(),
        PYTHON.to_owned(),
        host.to_owned(),
        port.to_owned(),
        certificate.map_or_else(String::new, |path| path.display().to_string()),
    ];
    for (path, file) in files {
        command.extend([(*path).clone(), file.display().to_string()]);
    }
    let mut client = Process::start(&command, Placement::on(&[testbed.cores.client]))
        .map_err(|error| format!("cannot start {}: {error}", python.display()))?;
    let limit = Duration::from_secs(LIMIT_S);
    let ready = client.line(limit, &testbed.interrupt);
    if ready.is_ok() {
        server.terminate();
    }
    let rest = client.rest(limit, &testbed.interrupt).unwrap_or_default();
    let status = client.wait(Duration::from_secs(5));
    let errors = client.kill();
    server.stop()?;
    if ready.is_ok() && rest == ["stopped"] {
        return Ok(());
    }
    let how = status.map_or_else(
        || "it did not end".to_owned(),
        |status| describe(status, &errors),
    );
    Err(how.into())
}

/// What a command says that ends well.
fn run_to_end(command: &[&str], input: &[u8]) -> Result<Output, String> {
    let words = command.join(" ");
    let failed = |error: std::io::Error| format!("cannot run '{words}': {error}");
    let mut child = Command::new("timeout")
        .arg(LIMIT_S.to_string())
        .args(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // Dropped when all is written: that is its end. One that reads nothing has none to give.
    if let Some(mut standard_input) = child.stdin.take() {
        let _ = standard_input.write_all(input);
    }
    let output = child.wait_with_output().map_err(failed)?;
    match output.status.success() {
        true => Ok(output),
        false => {
            let errors = String::from_utf8_lossy(&output.stderr);
            Err(format!("'{words}': {}: {}", output.status, errors.trim()))
        }
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether what was said ends with a whole file; a head may come before it.
fn is_body(output: &Output, body: &[u8]) -> Result<(), String> {
    let said = &output.stdout;
    match said.ends_with(body) {
        true => Ok(()),
        false => Err(format!(
            "{} bytes came, which do not end with the {} of the file",
            said.len(),
            body.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_whole_or_it_is_none() {
        let said = |text: &str| run_to_end(&["printf", "%s", text], b"").unwrap();
        assert_eq!(is_body(&said("head\n\nbody"), b"body"), Ok(()));
        assert!(is_body(&said("bod"), b"body").is_err());
    }

    #[test]
    fn what_goes_wrong_is_told_with_its_command() {
        let why = run_to_end(&["sh", "-c", "cat >&2; exit 3"], b"no route").unwrap_err();
        assert!(
            why.contains("sh -c") && why.contains("3") && why.ends_with("no route"),
            "{why}"
        );
    }
}
