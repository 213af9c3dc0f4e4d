use std::sync::Arc;

use super::*;
use crate::spec::Experiment;

fn write(home: &Path, name: &str, text: &str) {
    std::fs::create_dir_all(home.join(FOLDER)).unwrap();
    std::fs::write(home.join(FOLDER).join(name), text).unwrap();
}

fn read_with(definition: &str, template: &str, server: &str) -> Result<External, String> {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), "tool.toml", definition);
    write(home.path(), "tool.conf", template);
    let text = format!(
        "name='x'\nquestion='?'\nduration='1s'\nload=[{{name='closed'}}]\nserver=[{{{server}}}]\n"
    );
    let path = home.path().join("x.toml");
    let experiment = Experiment::parse(&text, &path).unwrap();
    let mut all = read_all(&experiment.server, &path).map_err(|error| error.to_string())?;
    Ok(Arc::unwrap_or_clone(all.remove(0)))
}

const TOOL: &str = "package = 'tool'\ncommand = 'sh -c @config@ @threads@'\nconfig = 'tool.conf'\nvalues.threads = 4\n";

#[test]
fn templates_are_filled_in() {
    let template =
        "listen @address@:@port@; root \"@root@\"; cores @cores@; a@b.c; threads @threads@";
    let tool = read_with(TOOL, template, "external='tool', values.threads=9").unwrap();
    let given = tool.given(
        Path::new("/a b"),
        ([198, 18, 0, 1].into(), 81),
        2,
        Path::new("/w"),
    );
    let (path, text) = tool.config(&given).unwrap();
    assert_eq!(path, Path::new("/w/tool.conf"));
    let expected = "listen 198.18.0.1:81; root \"/a b\"; cores 2; a@b.c; threads 9";
    assert_eq!(text, expected);
    assert!(tool.check_address().is_ok() && tool.check_upstream().is_ok());
    let proxy = read_with(TOOL, "pass @upstream@", "external='tool'").unwrap();
    let alone = proxy.check_upstream().unwrap_err().to_string();
    assert!(alone.contains("put upstream = "), "{alone}");
    let command = tool.command(&given);
    assert!(command[0].ends_with("/sh"), "{command:?}");
    assert_eq!(command[1..], ["-c", "/w/tool.conf", "9"]);
    assert!(tool.missing().is_none());
}

/// One template serves in the clear and over TLS: what differs is a value.
#[test]
fn whoever_has_a_place_for_a_certificate_speaks_tls() {
    let template = "listen @port@ @secure@;";
    let with = |value: &str| format!("{TOOL}values.secure = '{value}'\n");
    let plain = read_with(&with(""), template, "external='tool'").unwrap();
    let secured = with("ssl @certificate@ @key@") + "protocols = ['http/1.1', 'h2']\n";
    let secured = read_with(&secured, template, "external='tool'").unwrap();
    assert!(!plain.is_secured() && secured.is_secured());
    let given = Given::from([
        ("port", "81".into()),
        ("config", "/w/tool.conf".into()),
        ("certificate", "/c".into()),
        ("key", "/k".into()),
    ]);
    let text = |tool: &External| tool.config(&given).unwrap().1;
    assert_eq!(text(&plain), "listen 81 ;");
    assert_eq!(text(&secured), "listen 81 ssl /c /k;");
    assert!(secured.check_protocol(Protocol::Http2).is_ok());
    let refused = plain.check_protocol(Protocol::Http2).unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("tool is asked in HTTP/2") && refused.contains("put \"h2\" into"),
        "{refused}"
    );
}

#[test]
fn what_is_not_there_is_told() {
    let absent = TOOL.replace("'sh ", "'no-such-program-anywhere ");
    let tool = read_with(&absent, "", "external='tool', name='other'").unwrap();
    let bound = tool.check_address().unwrap_err().to_string();
    assert!(
        bound.contains("tool.toml: other") && bound.contains("@address@"),
        "{bound}"
    );
    let missing = tool.missing().unwrap();
    assert!(
        missing.contains("other is left out") && missing.contains("install tool"),
        "{missing}"
    );
    for (definition, template, server, expected) in [
        (TOOL, "@portt@", "external='tool'", "tool.conf has @portt@"),
        // There would be no end to it.
        (
            &format!("{TOOL}values.one = '@one@'\n"),
            "",
            "external='tool'",
            "a value has @one@",
        ),
        (TOOL, "", "external='tol'", "did you mean 'tool'?"),
        (
            TOOL,
            "",
            "external='tool', values.helpers=1",
            "no value 'helpers'",
        ),
        (
            TOOL,
            "",
            "external='tool', values.thread=1",
            "did you mean 'threads'?",
        ),
        (
            "package = 'x'\ncommand = ''\n",
            "",
            "external='tool'",
            "the command is empty",
        ),
        (
            "pakage = 'x'\n",
            "",
            "external='tool'",
            "did you mean 'package'?",
        ),
        (
            "package = 'x'\ncommand = 'sh'\nconfig = 'y'\n",
            "",
            "external='tool'",
            "external/y",
        ),
    ] {
        let error = read_with(definition, template, server).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

/// What is installed or not is what builds it; the command starts what was built, and knows where the sources are.
#[test]
fn one_that_is_built_is_built_first() {
    let definition = |program: &str| {
        format!(
            "package = 'tool'\nbuild = ['{program}', '-c', 'echo @here@ >@built@/program']\ncommand = '@built@/program @port@'\n"
        )
    };
    let tool = read_with(&definition("no-such-compiler"), "", "external='tool'").unwrap();
    assert!(tool.missing().unwrap().contains("install tool"));
    let tool = read_with(&definition("sh"), "", "external='tool'").unwrap();
    assert!(tool.missing().is_none() && tool.is_built());
    let given = tool.given(
        Path::new("/"),
        ([127, 0, 0, 1].into(), 81),
        1,
        Path::new("/w"),
    );
    let command = tool.command(&given);
    assert_eq!(
        command,
        [format!("{}/program", given["built"]), "81".into()]
    );
    tool.build().unwrap();
    let written = std::fs::read_to_string(&command[0]).unwrap();
    assert_eq!(written.trim(), given["here"]);
    let failing = definition("sh").replace("echo @here@", "echo no compiler >&2; false");
    let tool = read_with(&failing, "", "external='tool', name='other'").unwrap();
    let error = tool.build().unwrap_err().to_string();
    std::fs::remove_dir_all(&given["built"]).unwrap();
    assert!(
        error.contains("cannot build other") && error.ends_with("no compiler"),
        "{error}"
    );
}

#[test]
fn what_is_asked_for_in_place_of_the_files_is_filled_in() {
    let asking = format!("{TOOL}urls = 'tool.conf'\n");
    let template = "http://@address@:@port@/a?b=@threads@ 2\n";
    let tool = read_with(&asking, template, "external='tool'").unwrap();
    let given = tool.given(
        Path::new("/"),
        ([127, 0, 0, 1].into(), 81),
        1,
        Path::new("/w"),
    );
    let (path, text) = tool.urls(&given).unwrap();
    assert_eq!(path, Path::new("/w/tool.conf"));
    assert_eq!(text, "http://127.0.0.1:81/a?b=4 2\n");
    assert!(!tool.serves_files());
    let wrong = read_with(&asking, "http://@host@/", "external='tool'").unwrap_err();
    assert!(wrong.contains("tool.conf has @host@"), "{wrong}");
    let tool = read_with(TOOL, "", "external='tool'").unwrap();
    assert!(tool.serves_files() && tool.urls(&given).is_none());
    let other = read_with(&format!("{TOOL}files = false\n"), "", "external='tool'").unwrap();
    assert!(!other.serves_files());
}

#[test]
fn a_generator_may_be_built_too_and_knows_where() {
    let home = tempfile::tempdir().unwrap();
    let read = |definition: &str| {
        write(home.path(), "tool.toml", definition);
        read_generator("tool", &home.path().join("x.toml")).map_err(|error| error.to_string())
    };
    let built = "package = 'tool'\nbuild = 'sh -c true'\ncommand = '@here@/x @built@ @url@'\n";
    let tool = read(built).unwrap();
    let command = tool.command(&Given::from([("url", "http://a/".into())]));
    let here = home.path().join(FOLDER).join("x");
    assert_eq!(command[0], here.display().to_string());
    assert!(command[1].ends_with("/external/tool") && command[2] == "http://a/");
    for of_servers in ["files = false", "urls = 'tool.toml'", "reports = true"] {
        let refused = read(&format!("{built}{of_servers}\n")).unwrap_err();
        assert!(refused.contains("are for servers"), "{refused}");
    }
}

#[test]
fn what_it_needs_beside_its_program_is_looked_for() {
    let needing = |path: &str| format!("{TOOL}needs = ['/bin/sh', '{path}']\n");
    assert!(
        read_with(&needing("/"), "", "external='tool'")
            .unwrap()
            .missing()
            .is_none()
    );
    let tool = read_with(&needing("/no/such.jar"), "", "external='tool'").unwrap();
    assert!(tool.missing().unwrap().contains("install tool"));
}
