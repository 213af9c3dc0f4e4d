//! `archbench serve`: one architecture, serving files until it is told to stop.

use std::cell::Cell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

use arch::{Address, ServeOptions, ServerSetup};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use command::descriptors::Descriptors;
use command::output::{self, Format};
use contracts::{Line, Unknown, serve};

use crate::catalogue::{self, CATALOGUE, Entry, Prepared};
use crate::{Failure, summary};

/// The command, with the options of the model that `arguments` ask for.
pub(crate) fn command(arguments: &[OsString]) -> Command {
    match requested_model(arguments) {
        Some(entry) => grammar(|command| entry.augment(command)),
        None => grammar(|command| command),
    }
}

/// The command with what every model has, and no options of any one.
pub(crate) fn of_every_model() -> Command {
    grammar(|command| command)
}

/// The command with the options of all models together, of which one run takes those of one.
pub(crate) fn of_all_models() -> Command {
    grammar(|command| {
        CATALOGUE
            .iter()
            .fold(command, |command, entry| entry.add(command))
    })
}

fn grammar(graft: impl FnOnce(Command) -> Command) -> Command {
    let command = Command::new("serve")
        .arg(
            Arg::new("model")
                .long("model")
                .short('m')
                .value_name("MODEL")
                .default_value(catalogue::DEFAULT)
                .value_parser(CATALOGUE.iter().map(|entry| entry.name).collect::<Vec<_>>())
                .help("Which architecture serves; 'archbench models' describes them"),
        )
        .arg(
            clap::arg!(--"output-format" <FORMAT> "How readiness and the summary at the end are printed")
                .value_parser(clap::value_parser!(Format))
                .default_value("text"),
        );
    let command = ServeOptions::augment_args(command);
    let command = graft(command);
    // Last, because grafting options would replace it.
    command
        .about("Serve files with one architecture")
        .long_about(
            "Serve files with one architecture.\n\n\
             Everything but the architecture is the same for all of them: protocol, caches, data path. Every model has the \
             options below, and some have more: 'archbench serve --model seda --help' lists those of seda.\n\n\
             Where a worker belongs to a connection (iterative, mp, mt --spawn prefork, pool), more keep-alive clients than \
             workers starve each other. That is the nature of these architectures; --keep-alive off and \
             --max-requests-per-connection let clients take turns.",
        )
        .after_help(
            "Examples:\n  \
             archbench serve                                       the built-in files, by amped, at http://127.0.0.1:8080\n  \
             archbench serve --model sped --root /srv/www --addr 0.0.0.0:80 --user www-data\n  \
             archbench serve --model green --tls --http2 on --addr 8443\n  \
             archbench serve --model sped --slow /dir00001/=500    a slow disk: who waits?\n\n\
             SIGTERM, SIGHUP, SIGQUIT or Ctrl-C stops accepting, finishes the answers under way, prints a summary and exits 0; \
             a second one ends at once (130). With --tls, SIGHUP reads the certificate again instead.\nExit status: 0 served and stopped, 1 failed, 2 wrong usage.",
        )
}

/// The model that the arguments ask for, before they are parsed for good: its options are part of the grammar.
fn requested_model(arguments: &[OsString]) -> Option<&'static Entry> {
    let arguments: Vec<_> = arguments
        .iter()
        .map(|argument| argument.to_string_lossy())
        .collect();
    let following = |flag: &str| {
        let place = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(place + 1).map(|model| model.to_string())
    };
    let joined = |prefix: &str| {
        arguments
            .iter()
            .find_map(|argument| argument.strip_prefix(prefix).map(str::to_owned))
    };
    let model = following("--model")
        .or_else(|| following("-m"))
        .or_else(|| joined("--model="))
        .or_else(|| joined("-m"));
    Entry::named(model.as_deref().unwrap_or(catalogue::DEFAULT))
}

/// Adds to an error about an unknown option of `serve` which models have it.
pub(crate) fn explain(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let serves = arguments.get(1).is_some_and(|command| command == "serve");
    if error.kind() != ErrorKind::UnknownArgument || !serves {
        return error;
    }
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let unknown = unknown.trim_start_matches('-').to_owned();
    let owners: Vec<_> = CATALOGUE
        .iter()
        .filter(|entry| {
            entry
                .options()
                .iter()
                .any(|option| option.get_long() == Some(&unknown))
        })
        .map(|entry| entry.name)
        .collect();
    if let (false, Some(model)) = (owners.is_empty(), requested_model(arguments)) {
        let hint = format!(
            "--{unknown} is an option of {}, not of {}",
            owners.join(" and "),
            model.name
        );
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![hint.into()]),
        );
        // What clap takes to be meant, and how that would be used.
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Usage);
    }
    error
}

/// Serves until stopped.
pub(crate) fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let model = matches
        .get_one::<String>("model")
        .map_or(catalogue::DEFAULT, String::as_str);
    let format = matches
        .get_one("output-format")
        .copied()
        .unwrap_or(Format::Text);
    let entry = Entry::named(model).ok_or("no such model")?;
    let options = ServeOptions::from_arg_matches(matches)?;
    // What is said at the start may depend on it.
    let descriptors = Descriptors::raise();
    let Prepared {
        notice,
        sockets,
        listen,
    } = entry.prepare(matches)?;

    let (root, sample) = root(&options)?;
    let (own_address, serve) = listen(&options)?;
    let setup = match own_address {
        Some(address) => ServerSetup::without_sockets(address, options, &root)?,
        None => ServerSetup::with_sockets(sockets, options, &root)?,
    };
    if let Some(security) = &setup.security {
        for warning in security.warnings(setup.listener.address()) {
            output::complain(format_args!("warning: {warning}"));
        }
    }
    let (meter, remarks) = (setup.meter, setup.remarks.clone());
    let started = Instant::now();
    let announcement = match format {
        Format::Text => announcement(entry, &setup, notice, sample.as_deref(), &descriptors),
        Format::Json => ready(entry, &setup, notice, &descriptors).line()?,
    };
    let was_ready = Rc::new(Cell::new(false));
    let is_ready = Rc::clone(&was_ready);
    let ended = serve(
        setup,
        Box::new(move || {
            is_ready.set(true);
            output::print(announcement);
        }),
    );
    if !was_ready.get() {
        ended?;
        return Ok(ExitCode::SUCCESS);
    }
    // What was counted is not lost where the server could not go on.
    let counted = meter.snapshot();
    let summary = summary::Summary::new(entry.name, &counted, &remarks, started.elapsed())?;
    match format {
        Format::Text => output::print(summary.text()),
        Format::Json => output::print_json(summary.for_programs().line()?),
    }
    ended?;
    Ok(ExitCode::SUCCESS)
}

/// The directory to serve: the one given, or the built-in file set, made if need be, with the path of one of its files.
fn root(options: &ServeOptions) -> Result<(PathBuf, Option<String>), Failure> {
    if let Some(root) = &options.root {
        return Ok((root.clone(), None));
    }
    let set = workload::fileset::default_file_set();
    let directory = workload::fileset::default_dir()?;
    lab::files::make(&set, &directory)?;
    Ok((directory, set.files().first().map(|file| file.path.clone())))
}

/// What is said to people when everybody is there who is to serve.
fn announcement(
    entry: &Entry,
    setup: &ServerSetup,
    notice: Option<String>,
    sample: Option<&str>,
    descriptors: &Descriptors,
) -> String {
    let address = setup.listener.address();
    let url = url(setup);
    let certificate = certificate(setup);
    let (place, mut through) = match address {
        Address::Ip(_) => (url.clone(), String::new()),
        Address::Path(path) => (
            address.to_string(),
            format!("--unix-socket {} ", path.display()),
        ),
        Address::Abstract(name) => (
            address.to_string(),
            format!("--abstract-unix-socket {name} "),
        ),
    };
    if let Some(own) = certificate
        .as_ref()
        .filter(|tls| tls.self_signed == Some(true))
    {
        let path = own.certificate.as_deref().unwrap_or_default();
        through += &format!("--cacert {path} ");
    }
    let user = setup.options.user.as_ref();
    let mut text = format!(
        "{} serves {} on {place} ({}process {}, {descriptors})",
        entry.name,
        setup.files.root.path().display(),
        user.map_or(String::new(), |user| format!("as {user}, ")),
        std::process::id()
    );
    if let Some(notice) = notice {
        text += &format!("\n{notice}");
    }
    if let Some(serve::Tls {
        certificate: Some(path),
        fingerprint_sha256: Some(fingerprint),
        ..
    }) = &certificate
    {
        text += &format!("\ncertificate {path}, SHA-256 {fingerprint}");
    }
    if let Some(refusal) = setup.files.root.refusal() {
        text += &format!("\npaths are resolved segment by segment: {refusal}");
    }
    if let Some(sample) = sample {
        text += &format!("\ntry 'curl {through}{url}{sample}'; Ctrl-C stops it");
    }
    text
}

/// The same for programs.
fn ready(
    entry: &Entry,
    setup: &ServerSetup,
    notice: Option<String>,
    descriptors: &Descriptors,
) -> serve::Ready {
    serve::Ready {
        event: serve::Ready::EVENT.into(),
        schema: Some(serve::SCHEMA.into()),
        model: Some(entry.name.into()),
        address: setup.listener.address().to_string(),
        url: Some(url(setup)),
        root: Some(setup.files.root.path().display().to_string()),
        notice,
        openat2_refusal: setup.files.root.refusal().map(str::to_owned),
        process_id: Some(std::process::id().into()),
        user: setup.options.user.as_ref().map(ToString::to_string),
        descriptors: Some(serve::Descriptors {
            soft_limit: descriptors.now,
            soft_limit_before: descriptors.before,
            unknown: Unknown::new(),
        }),
        tls: certificate(setup),
        unknown: Unknown::new(),
    }
}

/// What it shows clients, if it speaks TLS.
fn certificate(setup: &ServerSetup) -> Option<serve::Tls> {
    let security = setup.security.as_ref()?;
    let (source, certificate) = (security.source()?, security.certificate()?);
    Some(serve::Tls {
        certificate: Some(source.certificate.display().to_string()),
        fingerprint_sha256: Some(certificate.fingerprint()),
        self_signed: Some(source.is_own),
        unknown: Unknown::new(),
    })
}

/// Where clients find it; through a Unix socket, any host will do.
fn url(setup: &ServerSetup) -> String {
    let scheme = match setup.security {
        Some(_) => "https",
        None => "http",
    };
    match setup.listener.address().ip() {
        Some(address) => format!("{scheme}://{address}/"),
        None => format!("{scheme}://localhost/"),
    }
}

#[cfg(test)]
mod tests;
