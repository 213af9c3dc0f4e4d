//! What a cluster's launcher tells the processes that it starts, by their environment.

use super::Share;

/// A part, as a launcher placed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Which part.
    pub share: Share,
    /// The variables that said so, with their values.
    pub from: String,
    /// What the launcher calls this run, the same for all of its parts and for no other run; not every launcher does.
    pub run_id: Option<String>,
}

/// A launcher's variables.
struct Launcher {
    name: &'static str,
    /// The number of a process, counted from 0.
    rank: &'static str,
    /// How many there are.
    size: &'static str,
    /// A variable without which the others are somebody else's.
    present: Option<&'static str>,
    /// What together names the run.
    ids: &'static [&'static str],
}

/// In the order in which they are believed: a launcher may itself have been started by the next one, whose variables its processes
/// then have too, with the launcher's own number in them.
const LAUNCHERS: &[Launcher] = &[
    // Open MPI's mpirun.
    Launcher {
        name: "openmpi",
        rank: "OMPI_COMM_WORLD_RANK",
        size: "OMPI_COMM_WORLD_SIZE",
        present: None,
        ids: &["OMPI_MCA_ess_base_jobid"],
    },
    // The process manager interface: MPICH's and Intel's mpiexec, and srun --mpi=pmi2.
    Launcher {
        name: "pmi",
        rank: "PMI_RANK",
        size: "PMI_SIZE",
        present: None,
        ids: &["SLURM_JOB_ID", "SLURM_STEP_ID"],
    },
    // Slurm's srun. The script of a batch job has the first two as well, and is no part of anything.
    Launcher {
        name: "slurm",
        rank: "SLURM_PROCID",
        size: "SLURM_NTASKS",
        present: Some("SLURM_STEP_ID"),
        ids: &["SLURM_JOB_ID", "SLURM_STEP_ID"],
    },
    // An indexed Job of Kubernetes, whose manifest has to say how many there are, and the job's own id.
    Launcher {
        name: "kubernetes",
        rank: "JOB_COMPLETION_INDEX",
        size: "JOB_COMPLETIONS",
        present: None,
        ids: &["JOB_UID"],
    },
];

/// Where the launcher that started this process placed it, `variable` being its environment.
///
/// # Errors
/// When no launcher is known by its variables, or they make no sense.
pub fn placed(variable: impl Fn(&str) -> Option<String>) -> Result<Placed, String> {
    let is_there = |name: &&str| variable(name).is_some();
    for launcher in LAUNCHERS {
        let Some(rank) = variable(launcher.rank) else {
            continue;
        };
        if launcher.present.is_some_and(|name| !is_there(&name)) {
            continue;
        }
        let size = variable(launcher.size).ok_or_else(|| {
            format!(
                "{}={rank} is there, and {} is not: say which share this is (--share {}/N)",
                launcher.rank,
                launcher.size,
                rank.parse::<u64>().map_or(1, |rank| rank.saturating_add(1))
            )
        })?;
        let from = format!("{}={rank} and {}={size}", launcher.rank, launcher.size);
        let share = match (rank.parse(), size.parse()) {
            (Ok(rank), Ok(size)) => Share::new(rank, size),
            _ => Err("expected two numbers".to_owned()),
        };
        let share = share.map_err(|why| format!("{from}: {why}"))?;
        let ids: Option<Vec<_>> = launcher.ids.iter().map(|name| variable(name)).collect();
        let run_id = ids.map(|ids| format!("{}-{}", launcher.name, ids.join(".")));
        return Ok(Placed {
            share,
            from,
            run_id,
        });
    }
    let looked_for: Vec<_> = LAUNCHERS.iter().map(|launcher| launcher.rank).collect();
    Err(format!(
        "no launcher says which share this is (looked for {}): start it by srun, mpirun or as an indexed Job, or say it (--share 1/4)",
        looked_for.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(environment: &'static [(&'static str, &'static str)]) -> Result<Placed, String> {
        placed(|name| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn every_launcher_is_known_by_its_variables() {
        for (environment, share, run_id) in [
            (
                &[
                    ("OMPI_COMM_WORLD_RANK", "1"),
                    ("OMPI_COMM_WORLD_SIZE", "4"),
                    ("OMPI_MCA_ess_base_jobid", "77"),
                    // mpirun's own place in Slurm.
                    ("SLURM_PROCID", "0"),
                    ("SLURM_NTASKS", "8"),
                    ("SLURM_STEP_ID", "0"),
                ][..],
                "2/4",
                Some("openmpi-77"),
            ),
            (&[("PMI_RANK", "0"), ("PMI_SIZE", "2")], "1/2", None),
            (
                &[
                    ("SLURM_PROCID", "3"),
                    ("SLURM_NTASKS", "4"),
                    ("SLURM_JOB_ID", "12"),
                    ("SLURM_STEP_ID", "5"),
                ],
                "4/4",
                Some("slurm-12.5"),
            ),
            (
                &[
                    ("JOB_COMPLETION_INDEX", "2"),
                    ("JOB_COMPLETIONS", "3"),
                    ("JOB_UID", "u"),
                ],
                "3/3",
                Some("kubernetes-u"),
            ),
        ] {
            let placed = of(environment).expect(share);
            assert_eq!(placed.share.to_string(), share);
            assert_eq!(placed.run_id.as_deref(), run_id);
            assert!(placed.from.starts_with(environment[0].0), "{}", placed.from);
        }
    }

    #[test]
    fn what_says_nothing_of_a_share_is_refused_by_name() {
        for (environment, words) in [
            (&[][..], "SLURM_PROCID"),
            // The script of a batch job.
            (&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "4")], "srun"),
            (&[("JOB_COMPLETION_INDEX", "2")], "--share 3/N"),
            (&[("PMI_RANK", "2"), ("PMI_SIZE", "2")], "no part 3 of 2"),
            (&[("PMI_RANK", "x"), ("PMI_SIZE", "2")], "PMI_RANK=x"),
        ] {
            let why = of(environment).expect_err(words);
            assert!(why.contains(words), "{why}");
        }
    }
}
