//! archbench, the laboratory for server architectures.

fn main() {}
