//! Quantities as people write them.

use super::*;
use proptest::prelude::*;

#[test]
fn durations() {
    let ms = Duration::from_millis;
    for (text, expected) in [
        ("10s", ms(10_000)),
        ("1m", ms(60_000)),
        ("500ms", ms(500)),
        ("2m30s", ms(150_000)),
        ("1h2m3s4ms", ms(3_723_004)),
        ("1.5s", ms(1500)),
        ("250us", Duration::from_micros(250)),
        ("250µs", Duration::from_micros(250)),
        ("7ns", Duration::from_nanos(7)),
        (" 10S ", ms(10_000)),
        ("0", ms(0)),
        ("1min", ms(60_000)),
        ("1d", ms(86_400_000)),
        ("1e3s", ms(1_000_000)),
        ("7.926e-05s", Duration::from_nanos(79_260)),
        ("1E+1ms2e0us", Duration::from_nanos(10_002_000)),
    ] {
        assert_eq!(duration(text), Ok(expected), "{text}");
    }
    for text in [
        "",
        "10",
        "s",
        "-1s",
        "10x",
        "1s2",
        "1e3",
        "1es",
        "1e400s",
        "e3s",
        "1..2s",
        ".s",
        "99999999999999h",
        "600y",
        "1s 2s",
    ] {
        assert!(duration(text).is_err(), "{text}");
    }
}

#[test]
fn precisions() {
    for (text, expected) in [("5%", 0.05), ("0.05", 0.05), ("0.1%", 0.001), ("50%", 0.5)] {
        assert_eq!(precision(text), Ok(expected), "{text}");
    }
    for text in ["", "5", "0", "0.09%", "51%", "200%", "x", "5 ms"] {
        let why = precision(text).expect_err(text).to_string();
        assert!(why.contains("0.1% to 50%"), "{why}");
    }
}

#[test]
fn rates() {
    for (text, expected) in [
        ("1k", 1000.0),
        ("100/s", 100.0),
        ("5000", 5000.0),
        ("6000/m", 100.0),
        ("1.5k/s", 1500.0),
        ("36/h", 0.01),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("5.0E+02/s", 500.0),
        ("6e3/m", 100.0),
        ("1e-1k", 100.0),
    ] {
        assert_eq!(rate(text), Ok(expected), "{text}");
    }
    for text in [
        "", "0", "-1", "1/", "1/y", "k", "nan", "inf", "2g", "1/s/s", "1 k", "1e", "1e-", "1e400",
        "1e10", "-1e3", "1e3e3",
    ] {
        assert!(rate(text).is_err(), "{text}");
    }
}

#[test]
fn sizes_and_counts() {
    for (text, expected) in [
        ("0", 0),
        ("512", 512),
        ("1k", 1024),
        ("1KB", 1024),
        ("1KiB", 1024),
        ("1.5m", 1_572_864),
        ("2g", 2 << 30),
        ("7b", 7),
        ("1e3", 1000),
        ("1e1k", 10_240),
    ] {
        assert_eq!(size(text), Ok(expected), "{text}");
    }
    for (text, expected) in [
        ("0", 0),
        ("1k", 1000),
        ("2.5M", 2_500_000),
        ("1g", 1_000_000_000),
        ("1e6", 1_000_000),
        ("25e-1k", 2500),
    ] {
        assert_eq!(count(text), Ok(expected), "{text}");
    }
    for text in [
        "",
        "k",
        "1.3",
        "-1",
        "1kk",
        "1t",
        "99999999999999999999",
        "0x10",
        "1,000",
        "1e-1",
        "1e20",
    ] {
        assert!(size(text).is_err(), "{text}");
        assert!(count(text).is_err(), "{text}");
    }
}

#[test]
fn lines_and_shares() {
    for (text, expected) in [
        ("20mbit", 20_000_000),
        ("1gbit/s", 1_000_000_000),
        ("56Kbit", 56_000),
        ("9600bit", 9600),
        ("1.5mbit", 1_500_000),
    ] {
        assert_eq!(bit_rate(text), Ok(expected), "{text}");
    }
    for text in [
        "", "0bit", "20", "20m", "20mb", "-1kbit", "0.3bit", "1tbit", "kbit", "20 mbit",
    ] {
        assert!(bit_rate(text).is_err(), "{text}");
    }
    for (text, expected) in [
        ("0", 0.0),
        ("0.5%", 0.005),
        ("0.25", 0.25),
        ("100 %", 1.0),
        ("1", 1.0),
    ] {
        assert_eq!(share(text), Ok(expected), "{text}");
    }
    for text in ["", "%", "101%", "1.1", "-1%", "5‰", "nan"] {
        assert!(share(text).is_err(), "{text}");
    }
}

#[test]
fn errors_say_what_is_accepted() {
    assert_eq!(
        duration("10").map_err(|e| e.to_string()),
        Err("duration '10' lacks a unit; expected a number with a unit, like 500ms, 10s, 1m or 2m30s".into())
    );
}

proptest! {
    #![proptest_config(crate::cases(300))]

    #[test]
    fn what_is_shown_reads_back(bytes in 0..1_u64 << 50, nanos in 0..u64::MAX / 4) {
        prop_assert_eq!(size(&show_size(bytes)), Ok(bytes));
        // Doubles hold whole nanoseconds for a hundred days.
        let time = Duration::from_nanos(nanos % (1 << 52));
        prop_assert_eq!(duration(&show_duration(time)), Ok(time));
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,12}") {
        let _ = (duration(&text), rate(&text), size(&text), count(&text));
        let _ = (bit_rate(&text), share(&text));
    }
}
