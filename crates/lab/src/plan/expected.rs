//! The cells that expectations name.

use crate::spec::expression::Expression;

/// Checks that every cell that is named is there, once.
///
/// # Errors
/// Which is not; in words.
pub fn check(expression: &Expression, cells: &[&results::Factors]) -> Result<(), String> {
    for name in expression.value.cells() {
        let text = &expression.text;
        let found: Vec<_> = cells
            .iter()
            .filter(|factors| name.matches(factors))
            .collect();
        let (Some(first), count) = (found.first(), found.len()) else {
            let hint = name.hint(cells);
            return Err(format!("'{text}': there is no cell {name}{hint}"));
        };
        if count > 1 {
            let differs = |factor: &&String| {
                found
                    .iter()
                    .any(|one| one.get(*factor) != first.get(*factor))
            };
            let missing = first.keys().find(differs);
            let how = missing.map_or("all alike".to_owned(), |factor| {
                format!("add factors, like {name}@{factor}=…")
            });
            return Err(format!(
                "'{text}': {name} may be any of {count} cells; {how}"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_is_named_is_there_once() {
        let factors = results::Factors::from([("model".into(), "sped".into())]);
        let check = |text: &str, cells: &[&results::Factors]| check(&text.parse().unwrap(), cells);
        assert!(check("sped < 1", &[&factors]).is_ok());
        for (misspelled, meant) in [
            ("spde < 1", "sped"),
            ("sped@lod=closed < 1", "load"),
            ("sped@load=close < 1", "closed"),
        ] {
            let mut factors = factors.clone();
            factors.insert("load".into(), "closed".into());
            let error = check(misspelled, &[&factors]).unwrap_err();
            let hint = format!("; did you mean '{meant}'?");
            assert!(error.ends_with(&hint), "{error}");
        }
        assert!(
            check("mt < 1", &[&factors])
                .unwrap_err()
                .contains("no cell mt")
        );
        let mut other = factors.clone();
        let error = check("sped < 1", &[&factors, &other]).unwrap_err();
        assert!(error.contains("2 cells; all alike"), "{error}");
        other.insert("rate".into(), 5.0.into());
        let error = check("sped < 1", &[&other, &factors]).unwrap_err();
        assert!(error.contains("like sped@rate=…"), "{error}");
    }
}
