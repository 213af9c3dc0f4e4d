//! Which cores each side has.

use crate::cores::{Cores, list};
use crate::spec::Experiment;

/// As the experiment asks; otherwise the server has the first core (or as many as the cores axis needs) and the generator the
/// rest, so that the server is what the papers measured, a uniprocessor.
///
/// # Errors
/// When there are not enough; in words.
pub(super) fn cores(experiment: &Experiment, available: &[usize]) -> Result<Cores, String> {
    let wanted = experiment.sweep.cores.iter().copied().max().unwrap_or(1);
    let given = experiment.server_cores.clone();
    let taken = experiment.generator_cores.clone().unwrap_or_default();
    let free = |taken: &[usize]| -> Vec<usize> {
        available
            .iter()
            .copied()
            .filter(|core| !taken.contains(core))
            .collect()
    };
    let server = given.unwrap_or_else(|| free(&taken).into_iter().take(wanted).collect());
    let mut generator = if taken.is_empty() {
        free(&server)
    } else {
        taken
    };
    if let [only] = available {
        // Nothing can be kept apart; the plan says so.
        generator = vec![*only];
    }
    for core in server.iter().chain(&generator) {
        if !available.contains(core) {
            return Err(format!(
                "core {core} is not to be had; this process may use {}",
                list(available)
            ));
        }
    }
    if server.is_empty() {
        return Err("no core is left for the server".into());
    }
    if server.len() < wanted || experiment.sweep.cores.contains(&0) {
        return Err(format!(
            "sweep.cores goes from 1 to the server's {} here, which are {}",
            server.len(),
            list(&server)
        ));
    }
    if generator.is_empty() {
        return Err("no core is left for the generator".into());
    }
    Ok(Cores { server, generator })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn of(extra: &str, available: &[usize]) -> Result<Cores, String> {
        let text = format!(
            "name='x'\nquestion='?'\nduration='1s'\nmodels='all'\nload=[{{name='closed'}}]\n{extra}"
        );
        cores(
            &Experiment::parse(&text, Path::new("x")).unwrap(),
            available,
        )
    }

    #[test]
    fn both_sides_are_kept_apart_where_they_can_be() {
        let cores = of("", &[0, 1, 2, 3]).unwrap();
        assert_eq!(
            (cores.server.as_slice(), cores.generator.as_slice()),
            (&[0][..], &[1, 2, 3][..])
        );
        assert_eq!(of("sweep.cores=[1,2]", &[0, 1, 2]).unwrap().generator, [2]);
        assert_eq!(of("generator_cores=[0]", &[0, 1]).unwrap().server, [1]);
        assert!(of("", &[5]).unwrap().overlap());
        for (extra, expected) in [
            ("server_cores=[7]", "core 7 is not to be had"),
            ("server_cores=[0,1]", "no core is left for the generator"),
            ("generator_cores=[0,1]", "no core is left for the server"),
            ("server_cores=[]", "no core is left for the server"),
            ("sweep.cores=[1,4]", "from 1 to the server's 2"),
            ("sweep.cores=[0,1]", "from 1 to the server's 1"),
        ] {
            let error = of(extra, &[0, 1]).unwrap_err();
            assert!(error.contains(expected), "{extra}: {error}");
        }
    }
}
