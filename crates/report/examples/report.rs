//! Trial.
use clap::Parser;
#[derive(Parser)]
enum Cli {
    Report(report::cli::Report),
    Plot(report::cli::Plot),
    One { path: std::path::PathBuf },
    Many { path: std::path::PathBuf },
    Fixture { path: std::path::PathBuf },
}
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let catalogue: Vec<String> = ["iterative", "mp", "mt", "pool", "sped", "amped"]
        .map(String::from)
        .to_vec();
    match Cli::parse() {
        Cli::Report(r) => {
            r.run(&catalogue)?;
        }
        Cli::Plot(p) => {
            p.run(&catalogue)?;
        }
        Cli::Fixture { path } => {
            results::fixture::Fixture {
                seconds: 12,
                ..Default::default()
            }
            .write(&path)?;
        }
        Cli::One { path } => {
            results::fixture::Fixture {
                seconds: 12,
                rates: vec![4000.0],
                connections: vec![64.0],
                ..Default::default()
            }
            .write(&path)?;
        }
        Cli::Many { path } => {
            results::fixture::Fixture {
                seconds: 3,
                models: [
                    "iterative",
                    "mp",
                    "mt",
                    "pool",
                    "sped",
                    "amped",
                    "symped",
                    "seda",
                    "green",
                    "actor",
                    "service",
                    "flux",
                    "uring",
                    "netmap",
                ]
                .map(String::from)
                .to_vec(),
                ..Default::default()
            }
            .write(&path)?;
        }
    }
    Ok(())
}
