#!/usr/bin/env bash
# Runs fuzz targets, one after the other, and prints what came of each: see `make fuzz`.
#
# fuzz.sh FOLDER LIMIT [TARGET...]: FOLDER has the programs, and gets what is found. LIMIT is the option of the engine
# that ends each run: -max_total_time=SECONDS or -runs=EXECUTIONS. Without a target all are run.
set -eu -o pipefail

declare -A programs=(
  [json]=FuzzValues [requests]=FuzzValues [records]=FuzzValues [identity]=FuzzValues [texts]=FuzzValues
  [frame]=FuzzWire [link]=FuzzWire [handshake]=FuzzWire [channels]=FuzzWire [address]=FuzzWire [program]=FuzzWire
  [language]=FuzzTexts [expressions]=FuzzTexts [kinds]=FuzzTexts [context]=FuzzTexts [yaml]=FuzzTexts
  [letter-file]=FuzzStores [store-file]=FuzzStores [etcd]=FuzzStores
)
# The most bytes of an input, where that is not 1024: small texts have all their corners in few bytes.
declare -A lengths=(
  [identity]=128 [texts]=96 [address]=128 [expressions]=128 [letter-file]=256 [store-file]=256 [requests]=2048
)

here=$(cd "$(dirname "$0")" && pwd)
folder=$1
limit=$2
shift 2
targets=("$@")
if [ $# = 0 ]; then mapfile -t targets < <(printf '%s\n' "${!programs[@]}" | sort); fi

for target in "${targets[@]}"; do
  if [ -z "${programs[$target]:-}" ]; then
    echo "fuzz.sh: there is no target $target; known are: $(printf '%s\n' "${!programs[@]}" | sort | paste -sd ' ')" >&2
    exit 2
  fi
done

# Reports of crashes come from the engine; the backtracer of the language would hold them up.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0

# The last number behind a word in what a run has printed.
number() { sed -nE "s/.*$1 ([0-9]+).*/\1/p" "$2" | tail -1; }

table=$(printf '%-12s %12s %8s %7s %7s %8s' TARGET EXECUTIONS SECONDS COV FT CRASHES)
failures=''
for target in "${targets[@]}"; do
  found=$folder/found/$target
  mkdir -p "$found"
  log=$folder/found/$target.log
  program=$folder/${programs[$target]}
  echo "==> fuzzing $target ($limit)"
  started=$SECONDS
  crashes=0
  if ! GRIDCTL_FUZZ_TARGET=$target "$program" "$limit" -max_len="${lengths[$target]:-1024}" -timeout=25 \
    -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix="$found-" "$found" "$here/Corpus/$target" >"$log" 2>&1
  then
    crashes=1
    input=$(sed -nE 's/.*Test unit written to (.*)/\1/p' "$log" | tail -1)
    grep -E 'ERROR|Fatal error|SUMMARY' "$log" | head -5 >&2 || true
    failures+=$'\n'"  $target: ${input:-see $log}"
    failures+=$'\n'"    SWIFT_BACKTRACE=enable=no GRIDCTL_FUZZ_TARGET=$target $program ${input:-}"
  fi
  table+=$'\n'$(printf '%-12s %12s %8s %7s %7s %8s' "$target" "$(number 'number_of_executed_units:' "$log")" \
    $((SECONDS - started)) "$(number 'cov:' "$log")" "$(number 'ft:' "$log")" "$crashes")
done

echo "$table"
if [ -n "$failures" ]; then
  echo "fuzz.sh: these inputs broke a promise; below each, what runs it again:$failures" >&2
  exit 1
fi
