//! Ratios as people write them.

use super::*;

fn value(text: &str) -> Option<f64> {
    let expression: Expression = text.parse().unwrap();
    // A cell's figure is the length of its name; a percentile adds 100.
    let found = expression.value.evaluate(&|figure, cell| {
        let extra = if figure == Figure::Throughput {
            0.0
        } else {
            100.0
        };
        Some(Estimate::exact(cell.to_string().len() as f64 + extra))
            .filter(|_| cell.to_string() != "none")
    })?;
    assert!(found.low == found.read && found.read == found.high);
    Some(found.read)
}

#[test]
fn lower_bounds_stay_on_their_side() {
    let of = |text: &str| {
        let expression: Expression = text.parse().unwrap();
        let figure = |_: Figure, cell: &CellName| {
            Some(match cell.to_string().as_str() {
                "late" => Estimate::at_least(10.0),
                name => Estimate::exact(name.len() as f64),
            })
        };
        let found = expression.value.evaluate(&figure).unwrap();
        (found.low, found.read, found.high)
    };
    let endless = f64::INFINITY;
    assert_eq!(of("late / ab >= 1"), (5.0, 5.0, endless));
    assert_eq!(of("ab / late >= 1"), (0.0, 0.2, 0.2));
    assert_eq!(of("late / late >= 1"), (0.0, 1.0, endless));
    assert_eq!(of("lowest(late, ab) * 3 >= 1"), (6.0, 6.0, 6.0));
    assert_eq!(of("highest(late, ab) * 3 >= 1"), (30.0, 30.0, endless));
}

/// Where 1 µs for each request, and a hundredth more for each that is idle, come to a 10,000th of a second.
#[test]
fn a_whole_core_is_found_on_the_line_through_its_cells() {
    let of = |text: &str, slope: f64| {
        let expression: Expression = text.parse().unwrap();
        let figure = |figure: Figure, cell: &CellName| {
            assert_eq!(figure, Figure::CpuPerRequest);
            let (_, idle) = cell.0.iter().find(|(name, _)| name == "idle")?;
            Some(Estimate::exact(1.0 + slope * idle.parse::<f64>().ok()?))
        };
        expression.value.evaluate(&figure).map(|found| found.read)
    };
    let text = "whole_core_at(10000, poll@load=a@idle=0, poll@load=a@idle=900, poll@load=a@idle=5000) <= 1";
    let found = of(text, 0.01).unwrap();
    assert!((found - 9900.0).abs() < 1e-6, "{found}");
    let expression: Expression = text.parse().unwrap();
    assert_eq!(expression.value.cells().len(), 3);
    // One that does not rise comes to it nowhere.
    assert_eq!(of(text, -0.000_1), None);
    for (wrong, why) in [
        (
            "whole_core_at(0, a@n=1, a@n=2, a@n=3) < 1",
            "requests a second",
        ),
        (
            "whole_core_at(x, a@n=1, a@n=2, a@n=3) < 1",
            "requests a second",
        ),
        (
            "whole_core_at(9, a@n=1, a@n=2) < 1",
            "a line takes three cells",
        ),
        (
            "whole_core_at(9, a@n=1, b@n=2, a@n=3) < 1",
            "differ in one factor",
        ),
        ("whole_core_at(9) < 1", "differ in one factor"),
        (
            "whole_core_at(9, a@n=x, a@n=2, a@n=3) < 1",
            "that is a number",
        ),
    ] {
        let error = wrong.parse::<Expression>().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn products_are_read_and_evaluated() {
    for (text, expected) in [
        ("abcd / ab <= 1", 2.0),
        ("abcd/ab/2*3<1", 3.0),
        ("p99(abcd) > 1", 104.0),
        ("p(99)(abcd) >= 1", 104.0),
        ("service:p(99.9)(ab) ≥ 1", 102.0),
        ("highest(a, abc, p99(a)) / lowest(abc, ab) ≤ 9", 50.5),
        ("(abcd / ab) / (abc / a) < 1", 2.0 / 3.0),
        ("sped@dataset=2.0 / sped@dataset=0.5 <= 0.3", 1.0),
        ("(abcd - ab) / (a + abc - ab) <= 1.1", 1.0),
        ("abcd - ab * a-b + 1 > 0", -1.0),
    ] {
        let found = value(text).unwrap();
        assert!((found - expected).abs() < 1e-12, "{text}: {found}");
    }
    assert_eq!(value("a / none < 1"), None);
    assert_eq!(value("a / 0 < 1"), None);
}

#[test]
fn nonsense_is_explained() {
    for (text, expected) in [
        ("a / b", "no <"),
        ("a <= x", "'x' is no number"),
        ("a / <= 1", "ends too early"),
        ("p99(a <= 1", "')' is missing"),
        ("speed(a) < 1", "'speed' is no figure"),
        ("a b < 1", "'b' is too much"),
        ("a@rate < 1", "@FACTOR=LEVEL"),
        ("rate=5 < 1", "names no cell"),
        ("/ a < 1", "a cell is missing"),
        (
            &format!("{}a < 1", "(".repeat(1 << 20)),
            "more than 100 parts",
        ),
        (
            &format!("{}a < 1", "a * ".repeat(1 << 20)),
            "more than 100 parts",
        ),
        (
            &format!("{}a < 1", "lowest(".repeat(1 << 20)),
            "more than 100 parts",
        ),
    ] {
        let error = text.parse::<Expression>().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn levels_match_in_any_unit() {
    for text in ["5000", "5k", "5000.0", "5000/s"] {
        assert!(matches_level(&Level::Number(5000.0), text), "{text}");
    }
    assert!(matches_level(&Level::Number(102_400.0), "100k"));
    assert!(matches_level(&Level::Number(0.5), "500ms"));
    assert!(!matches_level(&Level::Number(5000.0), "500"));
    assert!(matches_level(&"sped".into(), "sped") && !matches_level(&"sped".into(), "spe"));
}
