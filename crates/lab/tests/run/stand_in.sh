#!/bin/sh
# A server that says what servers say; what it does depends on its model. `load` reports half for the model slow.
case "$1" in
models)
  echo '{"schema":"archbench.models/1","version":"9.9.9","models":['
  echo '{"name":"good","summary":"does","options":[{"name":"threads","help":""}]},{"name":"slow","summary":"does not"}]}' ;;
serve)
  case "$*" in
  *"--model nobody"*) echo "error: invalid value 'nobody'" >&2; exit 2 ;;
  *--help) case "$*" in *--bad*) echo "error: unexpected argument '--bad' found" >&2; exit 2 ;; esac; exit 0 ;;
  *"--model dies"*) echo "no such directory" >&2; exit 1 ;;
  *"--model garbage"*) echo "hello"; sleep 100 ;;
  *"--model fragile"*) echo '{"event":"ready","address":"127.0.0.1:1"}'; exit 7 ;;
  *"--model silent"*) trap 'exit 0' TERM ;;
  *"--model deaf"*) trap '' TERM ;;
  *) trap 'echo "{\"event\":\"summary\",\"requests\":100,\"cpu\":{\"per_request_us\":10.0}}"; exit 0' TERM ;;
  esac
  echo $$ > "$(dirname "$0")/server"
  case "$*" in *"--model "*) echo "$*" | sed 's/.*--model \([a-z]*\).*/\1/' > "$(dirname "$0")/model" ;; esac
  case "$*" in *"--model slow"*) touch "$(dirname "$0")/slow" ;; *) rm -f "$(dirname "$0")/slow" ;; esac
  echo '{"event":"ready","address":"127.0.0.1:1"}'
  while :; do sleep 0.02; done ;;
load)
  rate=1000; test -e "$(dirname "$0")/slow" && rate=500
  echo x >> "$(dirname "$0")/loads"
  sleep 0.05
  model=$(cat "$(dirname "$0")/model" 2>/dev/null)
  test "$model" = endless && sleep 100
  found=
  test "$model" = hung && found='{"level":"INVALID","rule":"fell_silent","text":"it fell silent"}'
  test "$model" = full && found='{"level":"INVALID","rule":"out_of_descriptors","text":"none left"},{"level":"INVALID","rule":"nothing_answered","text":"nothing"}'
  verdict=VALID; test -n "$found" && verdict=INVALID
  echo "{\"schema\":\"archbench.load/1\",\"verdict\":\"$verdict\",\"reasons\":[],\"findings\":[$found],\"run\":{\"model\":{\"name\":\"closed\"}},"
  echo "\"requests\":{\"completed\":$rate,\"censored\":0,\"errors\":{}},\"throughput\":{\"requests_per_s\":$rate},"
  echo "\"service_time_us\":{\"mean\":100,\"p50\":90,\"p99\":2000,\"p99.9\":9000}}" ;;
esac
