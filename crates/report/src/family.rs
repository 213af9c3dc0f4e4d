//! Families of architectures, as the catalogue has them: what a model looks like follows from its family and its place in it.

use crate::figure::Look;
use crate::study::MODEL;
use contracts::models::Model;
use results::Run;

/// The families, each once, in the order of the catalogue.
pub(crate) fn families(catalogue: &[Model]) -> Vec<&str> {
    let mut families: Vec<&str> = Vec::new();
    for model in catalogue {
        if !families.contains(&model.family.as_str()) {
            families.push(&model.family);
        }
    }
    families
}

/// What a model of the catalogue looks like; one that is in none comes after all families, by name.
pub(crate) fn look(model: &str, catalogue: &[Model], run: &Run) -> Look {
    if let Some(look) = known(model, catalogue) {
        return look;
    }
    let mut unknown: Vec<String> = run
        .trials
        .iter()
        .map(|trial| trial.level(MODEL))
        .filter(|name| catalogue.iter().all(|known| known.name != *name))
        .collect();
    unknown.sort();
    unknown.dedup();
    let place = unknown.iter().position(|other| other == model).unwrap_or(0);
    Look::Measured(families(catalogue).len() + place)
}

/// What a model of the catalogue looks like.
pub(crate) fn known(model: &str, catalogue: &[Model]) -> Option<Look> {
    let known = catalogue.iter().find(|known| known.name == model)?;
    let same = |other: &&&str| **other == known.family;
    let family = families(catalogue)
        .iter()
        .take_while(|one| !same(one))
        .count();
    let siblings = catalogue
        .iter()
        .filter(|other| other.family == known.family);
    let place = siblings.take_while(|other| other.name != model).count();
    Some(Look::Family { family, place })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::look::distinction;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_of_many_models_look_alike_and_those_of_a_family_have_its_colour() {
        let families = ["a", "b", "c", "d", "e", "f"];
        let catalogue: Vec<Model> = (0..48)
            .map(|number| Model {
                name: format!("m{number}"),
                family: families[number % families.len()].into(),
                ..Model::default()
            })
            .collect();
        let looks = catalogue
            .iter()
            .map(|model| known(&model.name, &catalogue).unwrap());
        let all: BTreeSet<_> = looks.clone().map(distinction).collect();
        assert_eq!(all.len(), catalogue.len());
        for (model, look) in catalogue.iter().zip(looks) {
            let family = families.iter().position(|name| *name == model.family);
            let class = format!("c{}", family.unwrap());
            assert_eq!(look.class().split(' ').next(), Some(class.as_str()));
        }
    }
}
