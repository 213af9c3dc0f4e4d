//! One tiny run of the real thing, if it has been built.

mod experiment;

use std::path::{Path, PathBuf};

use lab::spec::external::{External, Protocol};
use results::Figure;

/// `archbench` beside this test's own program: target/debug/archbench for target/debug/deps/real-….
fn archbench() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let built = test.parent()?.parent()?.join("archbench");
    let help = std::process::Command::new(&built)
        .args(["load", "--help"])
        .output()
        .ok()?;
    help.status.success().then_some(built)
}

/// The results of an experiment, once it has been run.
fn done(home: &Path, archbench: PathBuf, text: &str) -> results::Run {
    let config = home.join("experiment.toml");
    std::fs::write(&config, text).expect("written");
    experiment::done(experiment::args(&config, archbench))
}

#[test]
fn a_server_and_a_generator_meet() {
    let Some(archbench) = archbench() else {
        eprintln!("skipped: archbench is not built; 'cargo build -p archbench' makes it");
        return;
    };
    let home = tempfile::tempdir().expect("a directory");
    let text = "name = 'tiny'\nquestion = 'Does it run?'\nfiles = 'single:1k'\nmodels = ['sped', 'amped']\nrepeats = 1\n\
        warm_up = '100ms'\nduration = '1s'\nload = [{ name = 'closed', connections = 4 }]\n\
        [[expect]]\ntext = 'it answers'\nratio = 'sped > 1'\n";
    let run = done(home.path(), archbench, text);
    for trial in &run.trials {
        // A busy machine may make them INVALID, but there they are.
        assert!(trial.failure.is_none(), "{:?}", trial.failure);
        assert!(Figure::Throughput.of(trial) > Some(1.0));
        let summary = trial.server.as_ref().expect("a summary");
        assert!(summary.requests > Some(1));
        let log = run.hlog(trial).expect("readable").expect("kept");
        assert!(log.merged(None).is_some_and(|all| !all.is_empty()));
    }
}

#[test]
fn a_server_that_passes_requests_on_has_one_behind_it() {
    let Some(archbench) = archbench() else {
        eprintln!("skipped: archbench is not built; 'cargo build -p archbench' makes it");
        return;
    };
    let home = tempfile::tempdir().expect("a directory");
    let text = "name = 'behind'\nquestion = 'Is it asked?'\nfiles = 'single:1k'\nrepeats = 1\nwarm_up = '100ms'\nduration = '500ms'\n\
        models = [{ model = 'service', options = '--upstream http://@upstream@' }]\nupstream = { model = 'sped', options = '--keep-alive off' }\n\
        load = [{ name = 'closed', connections = 2, verify = true }]\n";
    let run = done(home.path(), archbench, text);
    let [trial] = &run.trials[..] else {
        panic!("{:?}", run.trials);
    };
    assert!(trial.failure.is_none(), "{:?}", trial.failure);
    let requests = &trial.load.as_ref().expect("a report").requests;
    assert!(requests.verified > Some(1) && requests.errors_total == Some(0));
    assert!(!trial.server_command.join(" ").contains("@upstream@"));
}

/// Those that ship and are installed here: each is started, answers, is measured and stops.
#[test]
fn the_servers_that_people_use_are_started_measured_and_stopped() {
    tried(false);
}

#[test]
#[ignore = "builds what it starts, and fetches what that takes from crates.io"]
fn the_servers_that_come_as_source_are_too() {
    tried(true);
}

/// Tries SPED and those that ship as source or do not, as far as they speak HTTP/1.1.
fn tried(as_source: bool) {
    let Some(archbench) = archbench() else {
        eprintln!("skipped: archbench is not built; 'cargo build -p archbench' makes it");
        return;
    };
    let home = tempfile::tempdir().expect("a directory");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-configs/external");
    std::os::unix::fs::symlink(&shipped, home.path().join("external")).expect("linked");
    let mut text = "name = 'peers'\nquestion = 'Do they run?'\nfiles = 'single:1k'\nmodels = ['sped']\nrepeats = 1\n\
        attempts = 1\nwarm_up = '100ms'\nduration = '1s'\nload = [{ name = 'closed', connections = 4, verify = true }]\nupstream = { model = 'sped' }\n"
        .to_owned();
    // SPED.
    let mut expected = 1;
    for entry in std::fs::read_dir(&shipped).expect("bench-configs/external") {
        let name = entry
            .expect("listed")
            .file_name()
            .into_string()
            .expect("a name");
        let Some(name) = name.strip_suffix(".toml") else {
            continue;
        };
        let external = External::named(&shipped, name).expect("a definition");
        let is_asked = external.protocols().contains(&Protocol::Http1);
        if external.is_built() == as_source && is_asked {
            text += &format!("[[server]]\nexternal = '{name}'\n");
            expected += 1;
        }
    }
    let run = done(home.path(), archbench, &text);
    assert_eq!(
        run.trials.len() + run.manifest.notices.len(),
        expected,
        "{:?}",
        run.manifest.notices
    );
    for trial in &run.trials {
        let who = trial.level("model");
        assert!(trial.failure.is_none(), "{who}: {:?}", trial.failure);
        let requests = &trial.load.as_ref().expect("a report").requests;
        assert!(requests.verified > Some(1), "{who}");
        assert_eq!(requests.errors_total, Some(0), "{who}");
        // Processor time has been accounted, of workers too.
        let used = Figure::CpuPerRequest.of(trial);
        assert!(used > Some(0.5), "{who}: {used:?}");
    }
}

/// An experiment over a network of its own; none, with a notice, where it cannot be.
fn over(home: &Path, network: &str) -> Option<results::Run> {
    let Some(archbench) = archbench() else {
        eprintln!("skipped: archbench is not built; 'cargo build -p archbench' makes it");
        return None;
    };
    if let Err(why) = network::available() {
        eprintln!("skipped: {why}");
        return None;
    }
    let text = format!(
        "name = 'tiny'\nquestion = 'Does it arrive?'\nfiles = 'single:1k'\nmodels = ['sped']\nrepeats = 1\nattempts = 1\n\
         warm_up = '0s'\nduration = '500ms'\nwire = true\nload = [{{ name = 'closed', connections = 2 }}]\n[network]\n{network}\n"
    );
    Some(done(home, archbench, &text))
}

/// All that the generator sent, no more and no less, is what each capture saw; its packets are beside the trial.
fn seen_at(run: &results::Run, trial: &results::Trial, ends: &[&str]) {
    assert!(trial.failure.is_none(), "{:?}", trial.failure);
    let sent = trial.load.as_ref().expect("a report").requests.sent;
    assert!(sent > Some(0));
    let at: Vec<_> = trial.wire.iter().map(|wire| wire.at.as_str()).collect();
    assert_eq!(at, ends);
    for wire in &trial.wire {
        let summary = &wire.summary;
        let dropped = summary
            .captured
            .as_ref()
            .and_then(|captured| captured.dropped);
        if dropped == Some(0) {
            let answered = summary.requests.zip(summary.unanswered);
            assert_eq!(answered.map(|(yes, no)| yes + no), sent, "{summary:?}");
        }
        let name = wire.trace.as_deref().expect("packets");
        let packets = std::fs::metadata(run.path.join("trials").join(name)).expect(name);
        assert!(packets.len() > 1000);
    }
}

#[test]
fn between_two_hosts_both_ends_see_what_the_generator_asks() {
    let home = tempfile::tempdir().expect("a directory");
    let Some(run) = over(home.path(), "kind = ['loopback', 'veth']") else {
        return;
    };
    for trial in &run.trials {
        let network = trial.network.as_ref().expect("a network");
        match trial.level("network").as_str() {
            "loopback" => {
                assert_eq!(network.description, "loopback");
                seen_at(&run, trial, &["server"]);
            }
            _ => {
                assert!(network.description.contains("two network namespaces"));
                seen_at(&run, trial, &["server", "client"]);
            }
        }
        assert!(Figure::WireServer.of(trial) > Some(0.0));
    }
    assert_eq!(run.trials.len(), 2);
    let ours = |left: &network::Leftover| left.maker == std::process::id();
    assert!(!network::leftovers().iter().any(ours));
}

#[test]
fn over_a_link_an_answer_takes_the_way_there_and_back() {
    if let Err(why) = std::fs::File::open(sys::tun::DEVICE) {
        return eprintln!("skipped: {} cannot be used: {why}", sys::tun::DEVICE);
    }
    let home = tempfile::tempdir().expect("a directory");
    let Some(run) = over(home.path(), "rtt = '30ms'\nrate = '100mbit'") else {
        return;
    };
    let trial = &run.trials[0];
    seen_at(&run, trial, &["server", "client"]);
    let least: Figure = "service:min".parse().expect("a figure");
    assert!(least.of(trial) >= Some(30_000.0), "{:?}", least.of(trial));
    let network = trial.network.as_ref().expect("a network");
    assert!(network.way.is_some());
    // netem does not count.
    if network.way.as_deref() == Some("user-space") {
        let carried = network.carried.as_ref().expect("counts");
        assert!(carried.to_server.packets > Some(0) && carried.to_client.packets > Some(0));
    }
}

/// Over TLS too, where that is how the server is asked.
#[test]
fn a_load_of_http2_meets_a_server_that_speaks_it() {
    let Some(archbench) = archbench() else {
        eprintln!("skipped: archbench is not built; 'cargo build -p archbench' makes it");
        return;
    };
    let home = tempfile::tempdir().expect("a directory");
    let text = "name = 'tiny'\nquestion = 'Does it run?'\nfiles = 'single:1k'\noptions = '--http2 on'\n\
        models = ['sped', { model = 'sped', name = 'secured', options = '--tls' }]\nrepeats = 1\n\
        warm_up = '100ms'\nduration = '400ms'\n\
        load = [{ name = 'many', connections = 2, http2 = true, streams = 4, idle = 3, verify = true }]\n\
        [[expect]]\ntext = 'it answers'\nratio = 'sped > 1'\n";
    let run = done(home.path(), archbench, text);
    for trial in &run.trials {
        assert!(trial.failure.is_none(), "{:?}", trial.failure);
        let load = trial.load.as_ref().expect("a report");
        assert_eq!(load.run.streams, Some(4));
        assert_eq!(load.requests.errors_total, Some(0));
        let is_secured = trial.factors["model"] == "secured".into();
        assert_eq!(load.handshake_time_us.is_some(), is_secured);
        let summary = trial.server.as_ref().expect("a summary");
        assert!(summary.requests > Some(8));
    }
}
