use std::path::Path;
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("folder")?;
    let folder = Path::new(&folder);
    let fixture = results::fixture::Fixture {
        seconds: 12,
        ..Default::default()
    };
    if !folder.exists() {
        fixture.write(folder)?;
    }
    let catalogue: Vec<String> = ["iterative", "mp", "mt", "pool", "sped", "amped"]
        .map(String::from)
        .to_vec();
    println!(
        "{}",
        report::page::write(folder, None, &catalogue)?.display()
    );
    Ok(())
}
