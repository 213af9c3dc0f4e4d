//! A results folder that somebody else writes to, that is full, that may not be written, that is of another time.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::{ARCHBENCH, Sandbox, said, wait};

#[test]
fn two_runs_do_not_share_a_folder() {
    let sandbox = Sandbox::new();
    sandbox.script("load", "until test -e \"$home/go\"; do sleep 0.02; done\n");
    let mut first = sandbox.start();
    sandbox.wait_for("loads", 1);
    let folder = sandbox.folders()[0].display().to_string();
    let busy = format!(
        "is being written by another archbench (process {})",
        first.id()
    );
    for arguments in [&[][..], &["--resume", &folder]] {
        let output = sandbox.run(arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains(&busy), "{}", said(&output));
    }
    fs::write(sandbox.at("go"), "").expect("written");
    // Beside it there may be another.
    assert_eq!(sandbox.run(&["--fresh"]).status.code(), Some(0));
    assert_eq!(wait(&mut first).code(), Some(0));
    let runs: Vec<_> = sandbox
        .folders()
        .iter()
        .map(|folder| results::read(folder).expect("readable"))
        .collect();
    assert_eq!(runs.len(), 2);
    assert!(
        runs.iter()
            .all(|run| run.is_complete() && run.verdicts.is_some())
    );
}

#[test]
fn a_folder_of_another_version_is_refused_by_name() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&[]).status.code(), Some(0));
    let folder = sandbox.folders()[0].clone();
    let manifest = folder.join("manifest.json");
    let text = fs::read_to_string(&manifest).expect("there");
    let older = text.replace(results::SCHEMA, "archbench.results/0");
    assert_ne!(older, text);
    fs::write(&manifest, older).expect("written");
    let path = folder.to_str().expect("text");
    for arguments in [
        &[
            "run",
            "x.toml",
            "--archbench",
            "./archbench",
            "--resume",
            path,
        ][..],
        &["report", path],
        &["slo", path, "--slo", "p99<1s"],
        &["compare", path, path],
        &["plot", "latency", path],
    ] {
        let mut command = Command::new(ARCHBENCH);
        command
            .args(arguments)
            .current_dir(sandbox.home.path())
            .env("XDG_CACHE_HOME", sandbox.at("cache"));
        let output = command.output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = said(&output);
        let named = said.contains("manifest.json is of schema archbench.results/0, and this archbench reads archbench.results/1");
        assert!(named && said.lines().count() == 1, "{said}");
    }
    // An unfinished one that cannot be read is not gone on with.
    fs::remove_file(folder.join("verdicts.json")).expect("there");
    assert_eq!(sandbox.run(&[]).status.code(), Some(0));
    assert_eq!(sandbox.folders().len(), 2);
}

/// Runs a script in name spaces of its own, where it may mount; `None` where that is not allowed.
fn with_mounts(sandbox: &Sandbox, script: &str) -> Option<String> {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-eu", "-c"]);
    let probe = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "mount",
            "-t",
            "tmpfs",
            "none",
            "/mnt",
        ])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this user may not mount a file system of its own");
        return None;
    }
    let run = "run() { \"$ARCHBENCH\" run x.toml --archbench ./archbench --results disk/results; }
        fails() { if run; then echo 'it should have failed' >&2; exit 1; fi; }";
    let output = command
        .arg(format!(
            "mkdir disk; mount -t tmpfs -o size=300k none disk\n{run}\n{script}"
        ))
        .current_dir(sandbox.home.path())
        .env("XDG_CACHE_HOME", sandbox.at("cache"))
        .env("ARCHBENCH", ARCHBENCH)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", said(&output));
    Some(said(&output))
}

/// What was measured before the disk failed is neither lost nor measured again.
fn check_that_nothing_is_lost(sandbox: &Sandbox) {
    // The trial that could not be kept has been made twice.
    assert_eq!(sandbox.lines("loads").len(), 7);
    let run =
        results::read(&fs::canonicalize(sandbox.at("kept")).expect("there")).expect("readable");
    assert!(run.is_complete() && run.verdicts.is_some());
    assert!(run.trials.iter().all(|trial| trial.failure.is_none()));
}

#[test]
fn a_full_disk_loses_no_finished_trial() {
    let sandbox = Sandbox::new();
    sandbox.script("load", "test $(wc -l < \"$home/loads\") = 3 && cat /dev/zero > \"$home/disk/filler\" 2>/dev/null\n");
    let script = "fails\n rm disk/filler\n run\n mkdir kept; cp -r disk/results/*/. kept";
    let Some(said) = with_mounts(&sandbox, script) else {
        return;
    };
    assert!(
        said.contains("error: cannot write")
            && said.contains("the disk is full; finished trials are safe"),
        "{said}"
    );
    check_that_nothing_is_lost(&sandbox);
}

#[test]
fn a_disk_that_becomes_read_only_loses_no_finished_trial() {
    let sandbox = Sandbox::new();
    sandbox.script(
        "load",
        "results=\"$home/disk/results\"
         test $(wc -l < \"$home/loads\") = 3 && mount --bind \"$results\" \"$results\" && mount -o remount,bind,ro \"$results\"\n",
    );
    let script =
        "fails\n fails\n umount disk/results\n run\n mkdir kept; cp -r disk/results/*/. kept";
    let Some(said) = with_mounts(&sandbox, script) else {
        return;
    };
    assert!(said.contains("Read-only file system"), "{said}");
    check_that_nothing_is_lost(&sandbox);
}

/// The same where nothing can be mounted: a limit on the length of files, which the third report goes beyond.
#[test]
fn a_file_that_cannot_be_written_loses_no_finished_trial() {
    let sandbox = Sandbox::new();
    let long = "head -c 300000 /dev/zero | tr '\\0' ' '";
    sandbox.script("load", &format!("test $(wc -l < \"$home/loads\") = 3 && {{ printf '{{\"long\":\"'; {long}; printf '\",'; exec sed 's/^{{//' \"$home/short\"; }}\n"));
    fs::write(
        sandbox.at("short"),
        "{\"schema\":\"archbench.load/1\",\"verdict\":\"VALID\",\"reasons\":[],\"requests\":{\"completed\":9}}\n",
    )
    .expect("written");
    let limited = |blocks: &str| {
        let command = &mut sandbox.command(&[]);
        let program = command.get_program().to_owned();
        let arguments: Vec<_> = command
            .get_args()
            .map(std::borrow::ToOwned::to_owned)
            .collect();
        let mut shell = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        shell
            .args(["-c", &script, "sh"])
            .arg(program)
            .args(arguments)
            .env("XDG_CACHE_HOME", sandbox.at("cache"));
        shell.process_group(0).output().expect("it runs")
    };
    let output = limited("256");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("cannot write"), "{}", said(&output));
    let folder = sandbox.folders()[0].clone();
    assert_eq!(results::read(&folder).expect("readable").trials.len(), 2);
    let names = fs::read_dir(folder.join("trials"))
        .expect("there")
        .flatten();
    assert_eq!(names.count(), 2, "nothing half written is left");
    assert_eq!(limited("unlimited").status.code(), Some(0));
    assert_eq!(results::read(&folder).expect("readable").trials.len(), 6);
    assert_eq!(sandbox.lines("loads").len(), 7);
}

#[test]
fn what_is_secret_in_an_experiment_is_in_no_file_of_its_results() {
    const SECRET: &str = "open-sesame";
    let models =
        format!("[{{ name = 'guarded', model = 'one', options = '--filters auth=me:{SECRET}' }}]");
    let sandbox = Sandbox::of(&models, "duration = '10ms'\nwarm_up = '0'\nrepeats = 2\n");
    let fails = format!("echo 'cannot ask http://me:{SECRET}@h/' >&2; exit 1\n");
    sandbox.script("load", &fails);
    assert_eq!(sandbox.run(&[]).status.code(), Some(1));
    let folder = sandbox.folders()[0].clone();
    let mut places = vec![folder.clone()];
    let mut files = 0;
    while let Some(place) = places.pop() {
        for entry in fs::read_dir(place).expect("there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                places.push(path);
                continue;
            }
            let text = fs::read(&path).expect("there");
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains(SECRET), "{}: {text}", path.display());
            files += 1;
        }
    }
    assert!(files >= 6, "{files} files");
    let kept = fs::read_to_string(folder.join("experiment.toml")).expect("there");
    assert!(kept.contains("--filters auth=***'"), "{kept}");
    // It is still known which run it is.
    fs::remove_file(folder.join("verdicts.json")).expect("there");
    fs::remove_file(folder.join("trials/c000-r2.json")).expect("there");
    assert_eq!(sandbox.run(&[]).status.code(), Some(1));
    assert_eq!(sandbox.folders(), std::slice::from_ref(&folder));
    assert!(folder.join("trials/c000-r2.json").is_file());
}
