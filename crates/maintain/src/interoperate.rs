//! `interoperate`: our servers and clients of others, our client and servers of others.

mod protocols;

use std::path::Path;

use lab::Failure;
use lab::spec::external::Protocol;

use crate::client::{self, Wrk};
use crate::programs;
use crate::server::Server;
use crate::testbed::{Cores, Size, Testbed};

/// Where the servers of others are defined.
const FOREIGN: &str = "bench-configs/external";
/// What is asked for: from memory, gathered, and by sendfile in several pieces.
const SIZES: [&str; 3] = ["1k", "64k", "1m"];

/// Have clients of others ask our servers, and our client the servers of others
///
/// curl, wrk, ab, h2load and hey ask every model over one connection, and every answer must be good; over TLS and in HTTP/2 it is curl, h2load,
/// nghttp, OpenSSL's s_client, and ssl and h2 of Python's, who see it stop. Our load generator asks every server of
/// bench-configs/external in each protocol that it speaks, and compares every body. Whoever is not installed is left out, in a line that
/// says so.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many requests each client makes for each file (wrk asks for a second)
    #[arg(value_name = "REQUESTS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    requests: u64,
    /// Models, with their options behind them if need be; all of them if none is named
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
    #[command(flatten)]
    cores: Cores,
}

/// A client that is not ours.
struct Client {
    name: &'static str,
    /// The command that makes so many requests for a URL, one after the other over one connection.
    command: fn(&str, u64) -> Vec<String>,
    /// What is wrong with what it says of so many requests.
    wrong: fn(&str, u64) -> Option<String>,
}

const CLIENTS: &[Client] = &[
    Client {
        name: "curl",
        command: |url, requests| {
            let quiet = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}\n"];
            // The number is a query, which is no part of the name.
            words(&[&quiet[..], &[&format!("{url}?[1-{requests}]")]].concat())
        },
        wrong: |text, requests| {
            let good = text.lines().filter(|line| *line == "200").count() as u64;
            (good != requests).then(|| format!("{good} of {requests} were answered with 200"))
        },
    },
    Client {
        name: "wrk",
        command: |url, _| words(&["wrk", "-t1", "-c1", "-d1s", url]),
        wrong: |text, _| Wrk::parse(text).err(),
    },
    Client {
        name: "ab",
        command: |url, requests| {
            words(&["ab", "-q", "-k", "-c1", "-n", &requests.to_string(), url])
        },
        wrong: |text, requests| {
            let says = |label: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(label))?;
                line.trim().parse::<u64>().ok()
            };
            let (complete, failed) = (says("Complete requests:"), says("Failed requests:"));
            let good = complete == Some(requests) && failed == Some(0) && !text.contains("Non-2xx");
            (!good).then(|| text.trim().to_owned())
        },
    },
    Client {
        name: "h2load",
        command: |url, requests| {
            words(&["h2load", "--h1", "-c1", "-n", &requests.to_string(), url])
        },
        wrong: |text, requests| (!is_all_good(text, requests)).then(|| text.trim().to_owned()),
    },
    Client {
        name: "hey",
        command: |url, requests| words(&["hey", "-c", "1", "-n", &requests.to_string(), url]),
        wrong: |text, requests| {
            let good = format!("[200]\t{requests} responses");
            (!text.lines().any(|line| line.trim() == good)).then(|| text.trim().to_owned())
        },
    },
];

/// Whether h2load says that all of so many requests were answered well.
fn is_all_good(text: &str, requests: u64) -> bool {
    let good = format!("status codes: {requests} 2xx, 0 3xx, 0 4xx, 0 5xx");
    text.lines().any(|line| line == good)
}

/// Tries all that are installed, and prints a line for each.
///
/// # Errors
/// The first that went wrong, or that nobody is installed.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    let archbench = programs::archbench()?;
    let paths: Result<Vec<String>, Failure> = Size::all(&SIZES)?
        .iter()
        .map(|size| testbed.file(size))
        .collect();
    let paths = paths?;
    let mut models = arguments.models.clone();
    if models.is_empty() {
        let all = lab::plan::models::list(&archbench)?.models;
        models.extend(all.into_iter().map(|model| model.name));
    }
    let is_there = |client: &&Client| {
        let installed = client::is_installed(client.name);
        if !installed {
            eprintln!("{} is left out, as it is not installed", client.name);
        }
        installed
    };
    let clients: Vec<&Client> = CLIENTS.iter().filter(is_there).collect();
    protocols::tell_missing();
    let mut tried = 0;
    for model in &models {
        let server = Server::ours(&testbed, &archbench, model, &testbed.root())?;
        for client in &clients {
            for path in &paths {
                ask(
                    &testbed,
                    client,
                    &format!("{}{path}", server.url),
                    arguments.requests,
                )
                .map_err(|what| format!("{} and {model} at {path}: {what}", client.name))?;
            }
            tried += 1;
            println!("{:<16} and {model}: all is well", client.name);
        }
        server.stop()?;
        tried += protocols::run(&testbed, (&archbench, model), &paths, arguments.requests)?;
    }
    for name in foreign(Path::new(FOREIGN))? {
        let Some(server) = Server::foreign(&testbed, &name)? else {
            continue;
        };
        let certificate = server.certificate.as_ref();
        let certificate = certificate.map(|path| ["--cacert".into(), path.display().to_string()]);
        let requests = arguments.requests.to_string();
        for protocol in server.protocols.clone() {
            for path in &paths {
                let url = format!("{}{path}", server.url);
                let mut load = ["--verify", "-c", "1", "-n", &requests]
                    .map(str::to_owned)
                    .to_vec();
                load.extend(certificate.iter().flatten().cloned());
                load.extend((protocol == Protocol::Http2).then(|| "--http2".to_owned()));
                load.push(url);
                client::load(&testbed, &archbench, &load).map_err(|what| {
                    format!("our client and {name} at {path} in {protocol}: {what}")
                })?;
            }
        }
        tried += 1;
        println!("{:<16} and {name}: all is well", "our client");
    }
    match tried {
        0 => Err("nobody is installed whom ours could be tried with; scripts/install-peers installs some".into()),
        _ => Ok(0),
    }
}

fn ask(testbed: &Testbed, client: &Client, url: &str, requests: u64) -> Result<(), Failure> {
    let ended = client::run(testbed, &(client.command)(url, requests))?;
    match (client.wrong)(&ended.text, requests) {
        None => Ok(()),
        Some(what) => Err(format!("{what}; {}", ended.how).into()),
    }
}

/// The names of all servers that are defined in a folder.
fn foreign(folder: &Path) -> Result<Vec<String>, Failure> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut names: Vec<String> = names
        .filter_map(|name| Some(name.to_str()?.strip_suffix(".toml")?.to_owned()))
        .collect();
    names.sort_unstable();
    Ok(names)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_tells_good_answers_from_others() {
        let ab = "Complete requests:      3\nFailed requests:        0\n";
        for (name, good, bad) in [
            ("curl", "200\n200\n200\n", "200\n500\n200\n"),
            (
                "wrk",
                "  7 requests in 1.00s, 1MB read\nRequests/sec: 7.00\n",
                "  Non-2xx or 3xx responses: 7\n",
            ),
            (
                "ab",
                ab,
                "Complete requests:      3\nFailed requests:        1\n",
            ),
            (
                "h2load",
                "status codes: 3 2xx, 0 3xx, 0 4xx, 0 5xx\n",
                "status codes: 2 2xx, 0 3xx, 1 4xx, 0 5xx\n",
            ),
            (
                "hey",
                "Status code distribution:\n  [200]\t3 responses\n",
                "  [404]\t3 responses\n",
            ),
        ] {
            let client = CLIENTS.iter().find(|client| client.name == name).unwrap();
            assert_eq!((client.wrong)(good, 3), None, "{name}");
            assert!((client.wrong)(bad, 3).is_some(), "{name}");
            assert!((client.wrong)("", 3).is_some(), "{name}");
        }
        let refused = format!("{ab}Non-2xx responses:      3\n");
        let ab = CLIENTS.iter().find(|client| client.name == "ab").unwrap();
        assert!((ab.wrong)(&refused, 3).is_some());
    }

    #[test]
    fn servers_are_found_by_their_definitions() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(FOREIGN);
        let names = foreign(&folder).unwrap();
        assert!(
            names.contains(&"nginx".to_owned()) && !names.contains(&"nginx.conf".to_owned()),
            "{names:?}"
        );
    }
}
