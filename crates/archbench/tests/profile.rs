//! What is installed is small but where a request passes: a crate that nobody has placed would be small, and slower than its siblings.

use std::path::Path;

/// The program itself takes the level of the profile, and so do those of which nothing is installed.
const AS_THE_PROFILE_SAYS: [&str; 3] = ["archbench", "fuzz", "maintain"];

#[test]
fn every_crate_has_its_level_in_the_release_profile() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = std::fs::read_to_string(workspace.join("Cargo.toml")).expect("a manifest");
    let mut rooms = 0;
    for entry in std::fs::read_dir(workspace.join("crates")).expect("crates") {
        let name = entry.expect("listed").file_name();
        let name = name.to_str().expect("UTF-8");
        let level = |level: &str| {
            let line = format!("{name} = {{ opt-level = {level} }}");
            manifest.lines().filter(|other| *other == line).count()
        };
        let (fast, small) = (level("3"), level("\"z\""));
        let expected = usize::from(!AS_THE_PROFILE_SAYS.contains(&name));
        assert_eq!(fast + small, expected, "{name}");
        if name.starts_with("arch-") {
            assert_eq!(fast, 1, "{name} would be slower than its siblings");
            rooms += 1;
        }
    }
    assert!(rooms > 0);
}
