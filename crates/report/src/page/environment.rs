//! Where it was measured.

use crate::html::escape;
use command::quantity::Unit;
use results::Run;
use std::collections::BTreeMap;
use std::fmt::Write;

pub(crate) fn section(run: &Run) -> String {
    let manifest = &run.manifest;
    let machine = &manifest.machine;
    let cores = |cores: &[usize]| {
        cores
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let pairs = |map: &BTreeMap<String, String>| {
        map.iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let rows = [
        ("Processor", machine.cpu_model.clone().unwrap_or_default()),
        ("Architecture", machine.architecture.clone()),
        ("Cores", cores(&machine.cores)),
        ("of the server", cores(&machine.server_cores)),
        ("of the generator", cores(&machine.generator_cores)),
        (
            "Memory",
            machine
                .memory_bytes
                .map_or(String::new(), |bytes| Unit::Bytes.show(bytes as f64)),
        ),
        ("Kernel", machine.kernel.clone()),
        (
            "Frequency governor",
            machine.governor.clone().unwrap_or_default(),
        ),
        (
            "Virtualised",
            machine
                .virtualised
                .map_or(String::new(), |yes| if yes { "yes" } else { "no" }.into()),
        ),
        (
            "Clock source",
            machine.clock_source.clone().unwrap_or_default(),
        ),
        (
            "File system",
            machine.file_system.clone().unwrap_or_default(),
        ),
        ("Control groups", machine.cgroup.clone()),
        ("Mitigations", pairs(&machine.mitigations)),
        ("Limits", pairs(&machine.limits)),
        ("Versions", pairs(&manifest.versions)),
        ("Revision", manifest.revision.clone().unwrap_or_default()),
        ("Seed", manifest.seed.to_string()),
        (
            "Warm-up",
            format!(
                "{} s of each trial",
                command::quantity::trimmed(manifest.warm_up_s, 2)
            ),
        ),
        ("Experiment's hash", manifest.experiment_hash.clone()),
    ];
    let mut out = format!(
        "<section id=\"environment\">\n<h2>Environment</h2>\n<p>Server and generator ran on this machine, as processes of their own. {}</p>\n<dl>\n",
        super::network::sentences(run)
    );
    for (name, value) in rows {
        let value = if value.is_empty() {
            "not known".into()
        } else {
            escape(&value)
        };
        let _ = writeln!(out, "<dt>{name}</dt><dd>{value}</dd>");
    }
    out + "</dl>\n</section>\n"
}
