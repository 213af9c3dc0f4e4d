# Sourced after prelude.bash by the scripts that compare servers: starts each one pinned, drives them in turn, prints medians.
#
# A script declares servers with `server NAME PORT COMMAND...`, then calls `compare ROUNDS SECONDS REFERENCE SIZE...`, which asks
# every server for /SIZE.txt and prints processor time for each request, and its ratio to the least of the servers whose names
# match the pattern REFERENCE; a server with only[NAME]=SIZE is asked for that alone. The client is wrk with $connections
# keep-alive connections.
#
# The median over the rounds is what one meets; the least of them is what compares best on a machine that others share, for
# disturbances only add. So there is a ratio of each.

server_core=0 client_core=1 connections=64
work=$(mktemp -d)
chmod 755 "$work"
mkdir "$work/root"
pids=() names=()
declare -A port process only

cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

# One file of each size under $work/root.
make_files() {
  for size in "$@"; do
    "$archbench" files "single:$size" "$work/set" >/dev/null
    mv "$work"/set/file.txt "$work/root/$size.txt"
    rm -rf "$work/set"
  done
}

server() {
  local name=$1
  names+=("$name"); port[$name]=$2
  shift 2
  taskset -c "$server_core" "$@" >"$work/$name.out" 2>&1 &
  pids+=($!); process[$name]=$!
}

# Nanoseconds on a processor of a process and its children, with all that their ended threads and children used; in ticks of 10 ms.
cpu_ns() {
  local total=0 pid fields
  for pid in "$1" $(pgrep -P "$1" || true); do
    # After the name, which may hold anything: utime, stime and those of ended children are fields 14 to 17 of all (proc_pid_stat(5)).
    read -ra fields <<<"$(sed 's/.*) //' "/proc/$pid/stat")" || continue
    total=$((total + fields[11] + fields[12] + fields[13] + fields[14]))
  done
  echo $((total * 1000000000 / $(getconf CLK_TCK)))
}

compare() {
  local rounds=$1 seconds=$2 reference=$3 round cell name size before after out requests rate
  shift 3
  sleep 1
  for name in "${names[@]}"; do is_up "${process[$name]}" "$name" "$work/$name.out"; done
  : >"$work/samples"
  for round in $(seq "$rounds"); do
    for cell in $(for name in "${names[@]}"; do for size in "$@"; do echo "$name/$size"; done; done | shuf --random-source=<(yes "$round")); do
      name=${cell%/*} size=${cell#*/}
      [ "${only[$name]:-$size}" = "$size" ] || continue
      [ -t 2 ] && printf '\rround %s of %s, %-24s' "$round" "$rounds" "$cell" >&2
      before=$(cpu_ns "${process[$name]}")
      out=$(taskset -c "$client_core" wrk -t1 -c"$connections" -d"${seconds}s" "http://127.0.0.1:${port[$name]}/$size.txt")
      after=$(cpu_ns "${process[$name]}")
      grep -Eq 'Non-2xx|Socket errors' <<<"$out" && die "errors from $name at $size: $out"
      requests=$(awk '/requests in/ {print $1}' <<<"$out")
      rate=$(awk '/Requests\/sec/ {printf "%d", $2}' <<<"$out")
      echo "$name $size $(((after - before) / requests)) $rate" >>"$work/samples"
    done
  done
  [ -t 2 ] && printf '\r%60s\r' '' >&2
  awk -v sizes="$*" -v names="${names[*]}" -v reference="$reference" '
    function median(list,   n, i, j, v, t) {
      n = split(list, v, " ")
      for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (v[j] + 0 < v[i] + 0) { t = v[i]; v[i] = v[j]; v[j] = t }
      return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
    }
    { cpu[$1, $2] = cpu[$1, $2] " " $3; rate[$1, $2] = rate[$1, $2] " " $4 }
    !least[$1, $2] || $3 < least[$1, $2] { least[$1, $2] = $3 }
    END {
      count = split(sizes, size, " "); servers = split(names, name, " ")
      printf "%-16s %6s %16s %8s %8s %8s %12s\n", "server", "file", "cpu/request µs", "ratio", "least", "ratio", "requests/s"
      for (i = 1; i <= count; i++) {
        best = best_least = 0
        for (j = 1; j <= servers; j++) if (name[j] ~ reference) {
          us = median(cpu[name[j], size[i]]); if (!best || us < best) best = us
          us = least[name[j], size[i]]; if (!best_least || us < best_least) best_least = us
        }
        for (j = 1; j <= servers; j++) if ((name[j], size[i]) in cpu) {
          us = median(cpu[name[j], size[i]]); low = least[name[j], size[i]]
          printf "%-16s %6s %16.2f %8.2f %8.2f %8.2f %12d\n", name[j], size[i], us / 1000, us / best, low / 1000, low / best_least, median(rate[name[j], size[i]])
        }
      }
    }' "$work/samples"
}
