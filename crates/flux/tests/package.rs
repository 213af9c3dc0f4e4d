//! A program's package is compiled as it is written, without a warning and without the network, and runs on each runtime.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::process::Command;

use flux::emit::Types;
use flux::package;

const PROGRAM: &str = "
    typedef odd IsOdd;
    context Sum;
    blocking Halve;
    source Count => Add;
    Count () => (long n);
    Add = Sort -> Keep;
    Sort:[odd] = ;
    Sort:[_] = Halve;
    Halve (long n) => (long n);
    Keep (long n) => ();
    handle error Halve => Complain;
    atomic Keep:{sum};
";

const NODES: &str = r#"//! Nodes.

use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

static NEXT: AtomicI64 = AtomicI64::new(0);
static SUM: AtomicI64 = AtomicI64::new(0);

pub struct Sum(i64);

pub fn context() -> Sum {
    Sum(0)
}

pub fn count(_: &mut Sum) -> Option<i64> {
    let next = NEXT.fetch_add(1, SeqCst);
    (next < 100).then_some(next)
}

pub fn is_odd(n: &i64) -> bool {
    n % 2 == 1
}

pub fn halve(_: &mut Sum, n: i64) -> Result<i64, i64> {
    if n == 50 { Err(n) } else { Ok(n / 2) }
}

pub fn complain(_: &mut Sum, n: i64) {
    println!("cannot halve {n}");
}

pub fn keep(context: &mut Sum, n: i64) {
    context.0 += n;
    let before = SUM.load(SeqCst);
    std::thread::yield_now();
    SUM.store(before + n, SeqCst);
    // The odd ones, and the halves of the even ones but fifty.
    if before + n == 2500 + 1225 - 25 {
        println!("sum {}", before + n);
    }
}
"#;

#[test]
fn a_package_runs_on_each_runtime() {
    let folder = tempfile::tempdir().unwrap();
    let checked = flux::check(PROGRAM);
    let compiled = checked
        .compiled
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    package::write(folder.path(), "sums", &compiled, &Types::default(), NODES).unwrap();
    let profile = folder.path().join("profile");
    for runtime in ["thread", "pool", "event"] {
        let ran = Command::new(env!("CARGO"))
            .args([
                "run",
                "--offline",
                "--quiet",
                "--",
                "--runtime",
                runtime,
                "--threads",
                "3",
                "--profile",
            ])
            .arg(&profile)
            .current_dir(folder.path())
            .env("CARGO_TARGET_DIR", folder.path().join("target"))
            .env("RUSTFLAGS", "-D warnings")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(
            ran.status.success(),
            "{runtime}: {}",
            String::from_utf8_lossy(&ran.stderr)
        );
        assert_eq!(String::from_utf8_lossy(&ran.stderr), "", "{runtime}");
        let mut lines: Vec<_> = said.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["cannot halve 50", "sum 3700"], "{runtime}");
        let counted = std::fs::read_to_string(&profile).unwrap();
        let total: u64 = counted
            .lines()
            .filter_map(|line| {
                line.strip_prefix("path ")?
                    .split(' ')
                    .nth(1)?
                    .parse::<u64>()
                    .ok()
            })
            .sum();
        assert_eq!(total, 100, "{runtime}\n{counted}");
    }
}
