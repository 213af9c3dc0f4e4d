//! What is wrong with a part is named, and makes the whole what it is.

use super::{Server, asked, lines, parts, piped, serve};
use crate::clock::SECOND;
use crate::parts::fold::{Fold, NotAdded};
use crate::parts::judge;
use contracts::load::{Finding, HostClock, PartStart, PartState, Report, Rule};
use contracts::part::{PartAsked, PartEnded, PartLine};
use contracts::{Unknown, Validity};
use std::collections::BTreeSet;
use std::sync::OnceLock;

const SECONDS: u64 = 10;
const OF: u32 = 4;

/// Four parts of ten seconds that are as they should be.
fn sound() -> Vec<Vec<PartLine>> {
    static SOUND: OnceLock<Vec<Vec<PartLine>>> = OnceLock::new();
    SOUND.get_or_init(make_sound).clone()
}

fn make_sound() -> Vec<Vec<PartLine>> {
    let line = "-R 400 --poisson -d 10s";
    let server = Server::Queue { mean_us: 300.0 };
    let served = serve(&parts(line, OF), server, SECONDS as usize);
    let asked = asked(line);
    let part = |(part, seconds): (u32, &Vec<_>)| {
        let mut all = lines(&asked, (part, OF), seconds);
        let mut put = |set: &dyn Fn(&mut PartLine)| {
            let mut line = PartLine {
                line: all.len() as u64,
                asked: None,
                second: None,
                ..all[0].clone()
            };
            set(&mut line);
            all.push(line);
        };
        put(&|line| line.began = Some(Box::new(start(0.0, 0.0))));
        put(&|line| line.ended = Some(Box::new(ended(SECONDS * SECOND))));
        all[0].asked.as_mut().expect("asked").host.name = format!("node{part}");
        all
    };
    (1..).zip(&served).map(part).collect()
}

/// A part that began so many seconds after the agreed time by its clock, which is ahead by so many.
fn start(late_s: f64, ahead_s: f64) -> PartStart {
    PartStart {
        agreed_unix_s: Some(1e9),
        began_unix_s: 1e9 + late_s,
        clock: HostClock {
            synchronised: Some(true),
            ahead_s: Some(ahead_s),
            boot_id: Some("one".to_owned()),
            ..HostClock::default()
        },
        unknown: Unknown::new(),
    }
}

fn ended(window_ns: u64) -> PartEnded {
    PartEnded {
        window_ns,
        elapsed_ns: window_ns,
        ..PartEnded::default()
    }
}

/// What is found wrong, and what each part is called.
fn judged(parts: &[Vec<PartLine>]) -> (Vec<Finding>, Vec<PartState>) {
    let first = parts[0][0].asked.as_deref().expect("asked").clone();
    let mut fold = Fold::new(first, OF, false);
    let mut repeated = BTreeSet::new();
    for line in parts.iter().flatten() {
        match fold.add(piped(line)) {
            Ok(()) => {}
            Err(NotAdded::Repeated) => {
                repeated.insert(line.part);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    let mut findings = judge::findings(&fold, fold.window(), &repeated);
    findings.extend(judge::own(&fold));
    let whole = fold.finish(None).expect("a run");
    let states = whole.parts.iter().map(|part| part.state).collect();
    (findings, states)
}

/// The one thing that is found, after a change.
fn found(change: impl FnOnce(&mut Vec<Vec<PartLine>>)) -> Finding {
    let mut parts = sound();
    change(&mut parts);
    let (mut findings, _) = judged(&parts);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.pop().expect("one")
}

fn last(part: &mut [PartLine]) -> &mut PartEnded {
    let line = part.last_mut().expect("a line");
    line.ended.as_deref_mut().expect("the end")
}

fn began(part: &mut [PartLine]) -> &mut PartStart {
    let mut lines = part.iter_mut();
    lines
        .find_map(|line| line.began.as_deref_mut())
        .expect("the start")
}

#[test]
fn parts_that_are_as_they_should_be_are_whole_and_nothing_is_said() {
    let (findings, states) = judged(&sound());
    assert_eq!(findings, []);
    assert_eq!(states, [PartState::Whole; 4]);
}

#[test]
fn what_is_wrong_with_a_part_is_said_by_its_name() {
    type Change = dyn Fn(&mut Vec<Vec<PartLine>>);
    let cases: [(Validity, Rule, &str, &Change); 11] = [
        (
            Validity::Invalid,
            Rule::PartMissing,
            "part 3 of 4 is missing",
            &|parts| {
                parts.remove(2);
            },
        ),
        (
            Validity::Invalid,
            Rule::PartCutShort,
            "part 2 of 4 (on node2) was cut short: it wrote nothing after 6.0 s",
            &|parts| {
                parts[1]
                    .retain(|line| line.ended.is_none() && line.line <= 6 || line.began.is_some());
                // It began before its seconds.
                let began = parts[1].pop().expect("the start");
                let second = parts[1].last().expect("a second").line;
                parts[1].push(PartLine {
                    line: second + 1,
                    ..began
                });
            },
        ),
        (
            Validity::Invalid,
            Rule::PartCutShort,
            "part 4 of 4 (on node4) never began",
            &|parts| {
                parts[3].truncate(1);
            },
        ),
        (
            Validity::Invalid,
            Rule::PartCutShort,
            "2 lines of what it wrote were lost",
            &|parts| {
                parts[0].remove(5);
                parts[0].remove(7);
            },
        ),
        (
            Validity::Invalid,
            Rule::PartCutShort,
            "was ended early, after 7.0 s of 10.0 s",
            &|parts| {
                let ended = last(&mut parts[2]);
                ended.window_ns = 7 * SECOND;
                ended.report.run.interrupted = Some(true);
            },
        ),
        (
            Validity::Invalid,
            Rule::PartLate,
            "part 2 of 4 (on node2) began 1.500 s too late",
            &|parts| {
                *began(&mut parts[1]) = start(1.5, 0.0);
            },
        ),
        // Late by less than a hundredth of the run.
        (
            Validity::Suspect,
            Rule::PartLate,
            "began 0.060 s too late",
            &|parts| {
                *began(&mut parts[1]) = start(0.06, 0.0);
            },
        ),
        // On time by a clock that is five seconds off.
        (
            Validity::Invalid,
            Rule::PartLate,
            "began 5.000 s too early: its clock was 5.000 s ahead",
            &|parts| {
                *began(&mut parts[3]) = start(0.0, 5.0);
            },
        ),
        (
            Validity::Invalid,
            Rule::PartDiffers,
            "part 2 of 4 (on node2) differs from the first in the seed",
            &|parts| {
                parts[1][0].asked.as_mut().expect("asked").run.seed = Some(9);
            },
        ),
        (
            Validity::Suspect,
            Rule::PartRepeated,
            "part 4 of 4 (on node4) is there twice",
            &|parts| {
                let again = parts[3].clone();
                parts.push(again);
            },
        ),
        (
            Validity::Suspect,
            Rule::PartClock,
            "the clocks right of 1 of 4 parts (2)",
            &|parts| {
                let clock = &mut began(&mut parts[1]).clock;
                clock.synchronised = Some(false);
                clock.boot_id = Some("two".to_owned());
            },
        ),
    ];
    for (level, rule, words, change) in cases {
        let finding = found(change);
        assert_eq!(
            (finding.level, &finding.rule),
            (level, &rule),
            "{finding:?}"
        );
        assert!(finding.text.contains(words), "{words}: {}", finding.text);
        assert!(rule.is_of_parts());
    }
}

#[test]
fn a_part_of_another_build_target_or_load_is_named() {
    type Change = fn(&mut PartAsked);
    let cases: [(&str, Change); 4] = [
        ("the build", |asked| asked.build = "c".to_owned()),
        ("the target", |asked| asked.targets_digest = "d".to_owned()),
        ("the target", |asked| {
            asked.run.first_target = Some("http://other/".to_owned());
        }),
        ("the load", |asked| asked.run.timeout_s = Some(1.0)),
    ];
    for (words, change) in cases {
        let finding = found(|parts| change(parts[2][0].asked.as_mut().expect("asked")));
        assert_eq!(finding.rule, Rule::PartDiffers);
        assert!(finding.text.contains(words), "{}", finding.text);
    }
    // What may be another one on another host.
    let mut parts = sound();
    let run = &mut parts[2][0].asked.as_mut().expect("asked").run;
    run.address = Some("[::1]:80".to_owned());
    run.cores = vec![7];
    assert_eq!(judged(&parts).0, []);
}

#[test]
fn what_one_generator_did_not_do_is_not_lost_among_the_others() {
    let own = |level, rule| Finding {
        level,
        rule,
        text: "the generator was late".to_owned(),
        unknown: Unknown::new(),
    };
    let finding = found(|parts| {
        last(&mut parts[1]).report = Report {
            // That the times of a part went somewhere says the whole run's trend by itself.
            findings: vec![
                own(Validity::Suspect, Rule::Drift),
                own(Validity::Invalid, Rule::GeneratorLag),
            ],
            ..Report::default()
        };
    });
    assert_eq!(
        (finding.level, finding.rule),
        (Validity::Invalid, Rule::GeneratorLag)
    );
    assert_eq!(
        finding.text,
        "part 2 of 4 (on node2) says: the generator was late"
    );
}

#[test]
fn what_a_killed_part_had_written_is_used() {
    let mut parts = sound();
    let (all, _) = whole(&parts);
    parts[1].retain(|line| line.line <= 6);
    let (left, states) = whole(&parts);
    assert_eq!(states[1], PartState::NotBegun);
    let lost: u64 = sound()[1]
        .iter()
        .filter(|line| line.line > 6)
        .filter_map(|line| line.second.as_ref()?.counts.get("completed"))
        .sum();
    assert!(
        lost > 0 && left == all - lost,
        "{left} of {all}, {lost} lost"
    );
}

/// How many were answered, and what each part is called.
fn whole(parts: &[Vec<PartLine>]) -> (u64, Vec<PartState>) {
    let asked = parts[0][0].asked.as_deref().expect("asked");
    let mut fold = Fold::new(asked.clone(), OF, false);
    for line in parts.iter().flatten() {
        fold.add(line.clone()).expect("a line");
    }
    let whole = fold.finish(None).expect("a run");
    let states = whole.parts.iter().map(|part| part.state).collect();
    (whole.outcome.record.counts.completed, states)
}
