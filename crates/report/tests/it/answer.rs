//! The answer, word for word: who leads, who cannot be told from whom, and what does not count.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use crate::support::{Made, catalogue, made};
use report::answer::Answer;
use results::fixture::Fixture;
use results::{Trial, Validity};

/// A closed loop, or an open one, in which each repeat of each model has such a figure: throughput, or the 99th percentile in microseconds.
fn measured(open: bool, figures: &[(&str, &[f64])]) -> Made {
    let fixture = Fixture {
        models: figures.iter().map(|(model, _)| (*model).into()).collect(),
        rates: if open { vec![1000.0] } else { Vec::new() },
        connections: if open { Vec::new() } else { vec![16.0] },
        repeats: figures[0].1.len(),
        seconds: 1,
        mishaps: false,
        ..Fixture::default()
    };
    let mut made = made(&fixture);
    made.run.verdicts.as_mut().unwrap().expectations.clear();
    for trial in &mut made.run.trials {
        let model = trial.level("model");
        let (_, values) = figures.iter().find(|(name, _)| *name == model).unwrap();
        let value = values[trial.repeat - 1];
        let load = trial.load.as_mut().unwrap();
        match open {
            true => load.response_time_us.as_mut().unwrap().p99 = Some(value),
            false => load.throughput.requests_per_s = Some(value),
        }
    }
    made
}

fn closed(figures: &[(&str, &[f64])]) -> String {
    Answer::of(&measured(false, figures).run).to_string()
}

fn open(figures: &[(&str, &[f64])]) -> String {
    Answer::of(&measured(true, figures).run).to_string()
}

const SPED: (&str, &[f64]) = ("sped", &[10_000.0, 10_100.0, 9_900.0]);

#[test]
fn a_clear_leader() {
    let mp = ("mp", &[8_000.0, 8_100.0, 7_900.0][..]);
    let mt = ("mt", &[4_000.0, 4_050.0, 3_950.0][..]);
    assert_eq!(
        closed(&[mp, SPED, mt]),
        "Overall: sped leads with 10,000 requests/s, 25 % more than mp, the next (95 % interval 24 to 26 %)."
    );
    assert_eq!(
        closed(&[SPED, mt]),
        "Overall: sped leads with 10,000 requests/s, 2.5 times as many as mt, the next."
    );
    let slow = ("mp", &[9_000.0, 9_300.0, 9_100.0][..]);
    let quick = ("mt", &[6_000.0, 6_100.0, 6_200.0][..]);
    assert_eq!(
        open(&[slow, quick]),
        "Overall: mt leads with a 99th percentile of 6.10 ms, 33 % less than that of mp, the next (95 % interval 30 to 36 %)."
    );
    let slower = ("mp", &[24_000.0, 26_000.0, 25_000.0][..]);
    assert_eq!(
        open(&[slower, quick]),
        "Overall: mt leads with a 99th percentile of 6.10 ms; that of mp, the next, is 4.1 times as long (95 % interval 3.8 to 4.5)."
    );
}

#[test]
fn several_that_lead_together() {
    let near = ("amped", &[9_950.0, 10_200.0, 9_800.0][..]);
    let also = ("pool", &[9_990.0, 9_900.0, 9_999.0][..]);
    let behind = ("mt", &[8_000.0, 8_100.0, 7_900.0][..]);
    assert_eq!(
        closed(&[behind, near, SPED, also]),
        "Overall: sped leads with 10,000 requests/s, 25 % more than mt, the next that can be told from it (95 % interval 24 to 26 %); pool and amped cannot be."
    );
}

#[test]
fn a_tie() {
    let near = ("amped", &[9_950.0, 10_200.0, 9_800.0][..]);
    let far = ("mt", &[4_000.0, 12_000.0, 9_000.0][..]);
    assert_eq!(
        closed(&[far, near, SPED]),
        "Overall: it is undecided who leads: amped and mt cannot be told from sped; sped has the most, 10,000 requests/s, mt has the fewest, 9,000 requests/s."
    );
}

#[test]
fn one_model() {
    assert_eq!(
        closed(&[SPED]),
        "Overall: sped has 10,000 requests/s (95 % interval 9,750 to 10,300), and nobody else was measured."
    );
}

#[test]
fn a_single_repeat() {
    let other = ("mt", &[4_000.0][..]);
    assert_eq!(
        closed(&[other, ("sped", &[10_000.0])]),
        "Overall: one repeat decides nothing; sped has the most, 10,000 requests/s, mt has the fewest, 4,000 requests/s."
    );
}

#[test]
fn what_does_not_count_leads_nobody() {
    let mt = ("mt", &[14_000.0, 14_050.0, 13_950.0][..]);
    let pool = ("pool", &[8_000.0, 8_100.0, 7_900.0][..]);
    let mut made = measured(false, &[mt, SPED, pool]);
    let of_mt = |trial: &&mut Trial| trial.level("model") == "mt";
    for trial in made.run.trials.iter_mut().filter(of_mt) {
        trial.verdict = Validity::Invalid;
    }
    assert_eq!(
        Answer::of(&made.run).to_string(),
        "Overall: sped leads with 10,000 requests/s, 25 % more than pool, the next (95 % interval 24 to 26 %); mt has no trial that counts.\n\
         Of 9 trials some do not count: 3 invalid."
    );
    for trial in &mut made.run.trials {
        trial.verdict = Validity::Invalid;
    }
    assert_eq!(
        Answer::of(&made.run).to_string(),
        "There is no answer: none of 9 trials counts (9 invalid)."
    );
    made.run.trials.clear();
    assert_eq!(
        Answer::of(&made.run).to_string(),
        "There is no answer yet: no trial has finished."
    );
}

#[test]
fn a_lower_bound_leads_nobody_and_an_overload_is_about_what_is_answered() {
    let quick = ("mt", &[6_000.0, 6_100.0, 6_200.0][..]);
    let slow = ("mp", &[9_000.0, 9_300.0, 9_100.0][..]);
    let mut made = measured(true, &[slow, quick]);
    let of_mt = |trial: &&mut Trial| trial.level("model") == "mt";
    for trial in made.run.trials.iter_mut().filter(of_mt) {
        let load = trial.load.as_mut().unwrap();
        load.response_time_us.as_mut().unwrap().at_least = vec!["p99".into()];
    }
    assert_eq!(
        Answer::of(&made.run).to_string(),
        "Overall: it is undecided who leads: mt cannot be told from mp; mp has the least, a 99th percentile of 9.10 ms, mt has the most, a 99th percentile of ≥ 6.10 ms."
    );
    for trial in made.run.trials.iter_mut().filter(of_mt) {
        let answered = 500.0 + trial.repeat as f64;
        trial.load.as_mut().unwrap().throughput.requests_per_s = Some(answered);
    }
    assert_eq!(
        Answer::of(&made.run).to_string(),
        "Overall: mp leads with 1,000 requests/s, 99 % more than mt, the next (95 % interval 98 to 100 %)."
    );
}

#[test]
fn the_page_begins_with_it() {
    let made = made(&crate::support::small());
    let page = report::render(&made.run, &catalogue()).unwrap();
    let place = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part}"));
    let parts = ["<h1>", "<p class=\"answer\">", "id=\"answer-1\"", "<nav"];
    let places = parts.map(place);
    assert!(places.is_sorted(), "{places:?}");
    // One of its figures is of the closed loop, one of the open one.
    assert!(page.contains("id=\"answer-2\""));
    let answer = Answer::of(&made.run);
    assert_eq!(answer.leaders.len(), 2);
    // Word for word, though it was made without a catalogue.
    for sentence in &answer.leaders {
        assert!(page.contains(&format!("<p class=\"answer\">{sentence}</p>")));
    }
    assert!(
        answer
            .verdicts
            .starts_with("Of 2 expectations: 1 missed, 1 undecided.")
    );
}

#[test]
fn of_equals_the_page_names_the_same_one_as_the_terminal() {
    let even = &[1_000.0, 1_000.0, 1_000.0][..];
    let less = &[500.0, 501.0, 499.0][..];
    let made = measured(false, &[("sped", even), ("amped", even), ("mt", less)]);
    let sentence = &Answer::of(&made.run).leaders[0];
    assert!(sentence.starts_with("Overall: amped leads"), "{sentence}");
    let page = report::render(&made.run, &catalogue()).unwrap();
    assert!(page.contains(sentence), "{sentence}");
}
