use super::*;
use std::path::Path;

fn of(text: &str) -> Result<Vec<Cell>, String> {
    let head = "name = 'x'\nquestion = '?'\nduration = '1s'\n";
    let experiment = Experiment::parse(&format!("{head}{text}"), Path::new("x")).unwrap();
    let crate::spec::Models::Some(models) = experiment.models.clone() else {
        panic!("a list");
    };
    cells(&experiment, &models, &[])
}

#[test]
fn every_combination_but_those_excluded() {
    let text = "models = ['sped', { model = 'pool', name = 'pool-8', options = '--threads 8' }]\n\
        options = '--backlog 64'\n\
        load = [{ name = 'closed', connections = [8, 16] }, { name = 'open', arrival = 'poisson', rate = ['1k', 2000] }]\n\
        sweep.option = [{ name = 'none', options = '--name-cache 0' }, { name = 'all' }]\n\
        exclude = [{ model = 'sped', option = 'none', rate = 2000 }]\n";
    let cells = of(text).unwrap();
    assert_eq!(cells.len(), 2 * 2 * (2 + 2) - 1);
    let pool = cells
        .iter()
        .find(|cell| cell.factors["model"] == "pool-8".into())
        .unwrap();
    let Server::Model { model, flags } = &pool.server else {
        panic!("one of ours");
    };
    assert_eq!(model, "pool");
    assert_eq!(
        *flags,
        ["--backlog", "64", "--threads", "8", "--name-cache", "0"]
    );
    let names: Vec<_> = factors(&cells)
        .into_iter()
        .map(|factor| factor.column)
        .collect();
    assert_eq!(
        names,
        [
            "model",
            "option",
            "load",
            "files",
            "connections",
            "rate_per_s"
        ]
    );
}

#[test]
fn those_who_never_ask_are_axes() {
    let text = "models = ['sped']\n\
        load = [{ name = 'closed', idle = [0, 900], storm = [0, 50] }, { name = 'alone' }]\n";
    let cells = of(text).unwrap();
    let flags: Vec<_> = cells.iter().map(|cell| cell.load.flags.join(" ")).collect();
    let storms = [
        "--idle 0 --storm 0",
        "--idle 0 --storm 50",
        "--idle 900 --storm 0",
        "--idle 900 --storm 50",
        "",
    ];
    assert_eq!(flags, storms);
    assert_eq!(cells[2].factors["idle"], 900.0.into());
    assert_eq!(cells[1].factors["storm"], 50.0.into());
    assert!(!cells[4].factors.contains_key("idle"));
    let factors = factors(&cells);
    let idle = factors.iter().find(|factor| factor.name == "idle");
    assert_eq!(idle.map(|factor| factor.column.as_str()), Some("idle"));
}

#[test]
fn two_cells_of_one_name_are_refused() {
    let closed = "load = [{ name = 'closed' }]\n";
    let open = "load = [{ name = 'open', arrival = 'poisson', rate = RATE }]\n";
    for (axis, value) in [
        (open.replace("RATE", "[100, 100]"), "rate=100"),
        (open.replace("RATE", "[100.0, 200, '0.1k']"), "rate=100"),
        (
            format!("{}sweep.rate = [5, 6, 5]\n", open.replace("RATE", "1")),
            "rate=5",
        ),
        (
            format!("{closed}sweep.connections = [8, 8]\n"),
            "connections=8",
        ),
        (
            format!("{closed}sweep.think = ['1ms', '1000us']\n"),
            "think=0.001",
        ),
        (format!("{closed}sweep.cores = [1, 1]\n"), "cores=1"),
        (
            format!("{closed}sweep.memory_limit = ['64m', '65536k']\n"),
            "memory_limit=",
        ),
        (
            format!("{closed}files = ['single:1k', 'single:1024']\n"),
            "files=single:1k",
        ),
        (
            format!("{closed}files = ['single:1k', 'single:2k']\nsweep.file_size = ['4k']\n"),
            "file_size=",
        ),
        (
            "load = [{ name = 'one', connections = [4, 4] }]\n".into(),
            "connections=4",
        ),
    ] {
        let error = of(&format!("models = ['sped']\n{axis}")).expect_err(&axis);
        assert!(
            error.contains("two cells are called") && error.contains(value),
            "{axis}: {error}"
        );
    }
}

#[test]
fn sizes_of_files_and_of_data_sets() {
    let load = "models = ['sped']\nload = [{ name = 'closed' }]\n";
    let cells = of(&format!(
        "{load}files = 'single:1k'\nsweep.file_size = ['1k', '100k']\n"
    ))
    .unwrap();
    assert_eq!(cells[1].files.to_string(), "single:100k");
    let text = "memory_limit = '64m'\nsweep.dataset = [0.5, 2.0]\n";
    let cells = of(&format!("{load}{text}")).unwrap();
    assert_eq!(cells[1].files.to_string(), "specweb99:26");
    assert!(of(&format!("{load}sweep.file_size = [1]\n")).is_err());
    // What could not be written as a preset cannot be had by way of an axis either.
    for too_large in [
        "files = 'single:1k'\nsweep.file_size = ['2000g']",
        "memory_limit = '1g'\nsweep.dataset = [1000]",
    ] {
        let error = of(&format!("{load}{too_large}\n")).unwrap_err();
        assert!(error.contains("more than"), "{error}");
    }
}

#[test]
fn an_exclusion_excludes_something_and_leaves_something() {
    let load =
        "models = ['sped', 'mt']\nload = [{ name = 'open', rate = 500, arrival = 'poisson' }]\n";
    for (exclusion, expected) in [
        (
            "rates = 5",
            "'rates' = '5', which no cell has; did you mean 'rate'?",
        ),
        ("model = 'spde'", "did you mean 'sped'?"),
        (
            "model = 'sped', rate = [500, 600]",
            "'rate' = '600', which no cell has",
        ),
        ("model = []", "no level for 'model'"),
        ("rate = '0.5k'", "every cell is excluded"),
    ] {
        let error = of(&format!("{load}exclude = [{{ {exclusion} }}]\n")).unwrap_err();
        assert!(error.contains(expected), "{exclusion}: {error}");
    }
}

#[test]
fn stages_say_themselves_how_long_they_last() {
    let text = "models = ['sped']\n\
        load = [{ name = 'steps', stages = '1s@100,2s@200..300' }, { name = 'steady', rate = 100 }]\n";
    let (warm_up, duration) = (Duration::from_millis(500), Duration::from_secs(1));
    let lengths: Vec<_> = of(text)
        .unwrap()
        .iter()
        .map(|cell| cell.load.length(warm_up, duration).as_millis())
        .collect();
    assert_eq!(lengths, [3000, 1500]);
}

#[test]
fn a_load_is_asked_in_what_its_server_speaks() {
    let flags = |text: &str| -> Vec<_> {
        let cells = of(text).unwrap();
        cells.iter().map(|cell| cell.load.flags.join(" ")).collect()
    };
    let loads =
        "load = [{ name = 'one' }, { name = 'two', http2 = true, streams = 8, idle = 4 }]\n";
    for options in ["--http2 on", "--http2=on", "--http2 off --tls --http2 on"] {
        let text = format!("models = [{{ model = 'sped', options = '{options}' }}]\n{loads}");
        assert_eq!(
            flags(&text),
            ["", "--http2 --idle 4 --streams 8"],
            "{options}"
        );
    }
    let full = "load = [{ name = 'full', full_handshakes = true }]\n";
    for (options, loads, words) in [
        (
            "",
            loads,
            "the load 'two' has http2, and the server 'a' has no --http2 on",
        ),
        ("--http2 on --http2=off", loads, "no --http2 on"),
        (
            "--http2 on",
            full,
            "the load 'full' has full_handshakes, and the server 'a' has no --tls",
        ),
    ] {
        let models =
            format!("models = [{{ model = 'sped', name = 'a', options = '{options}' }}]\n");
        let error = of(&format!("{models}{loads}")).unwrap_err();
        assert!(error.contains(words), "{error}");
        let without = "exclude = [{ load = 'two' }]\n";
        assert_eq!(
            of(&format!("{models}{loads}{without}")).is_ok(),
            loads.contains("two")
        );
    }
}
