# Sourced first by every script: strict mode, the repository's root, --help, and what is said of a missing tool or a wrong argument.
set -euo pipefail
script=$(realpath "$0")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The comment at the head of a script is its manual.
case ${1:-} in -h | --help) sed -n '2,/^[^#]/s/^#\( \|$\)//p' "$script"; exit 0 ;; esac

die() { echo "$0: $*" >&2; exit 1; }
usage() { echo "$0: $*; --help says how it is called" >&2; exit 2; }

# A whole number above 0 is what it must be: whole NAME VALUE.
whole() { [[ $2 =~ ^[1-9][0-9]*$ ]] || usage "$1 must be a whole number above 0, not '$2'"; }

declare -A package=([ab]=apache2-utils [c++]=g++ [cargo]=cargo [nginx]=nginx-light [h2load]=nghttp2-client [taskset]=util-linux)
need() {
  for tool in "$@"; do command -v "$tool" >/dev/null || die "$tool is missing; try: apt-get install ${package[$tool]:-$tool}"; done
}

two_cores() { [ "$(nproc)" -ge 2 ] || die "needs two cores, one for the server and one for the client"; }

# What is measured or computed is done there (crates/maintain).
maintain() {
  need cargo
  cargo run --release --quiet -p maintain -- "$@"
}

# ARCHBENCH=/path/to/archbench measures that binary instead of building one.
build() {
  archbench=${ARCHBENCH:-}
  if [ -z "$archbench" ]; then
    need cargo
    cargo build --release --quiet
    archbench=${CARGO_TARGET_DIR:-$PWD/target}/release/archbench
  fi
  [ -x "$archbench" ] || die "there is no $archbench"
}
