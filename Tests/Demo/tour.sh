#!/usr/bin/env bash
# The tour of the README on three real nodes, with its own state; leaves nothing behind. Fails when a step does not do
# what the README says. GRIDCTL names the binary.
set -u
program=${GRIDCTL:-$(command -v gridctl)}
gridctl() { "$program" "$@"; }
place=$(mktemp -d /tmp/gridctl-demo-XXXXXX)
export XDG_RUNTIME_DIR=$place/run XDG_STATE_HOME=$place/state
unset GRIDCTL_ENDPOINTS GRIDCTL_NAMESPACE GRIDCTL_OUTPUT GRIDCTL_TIMEOUT
mkdir -m 700 "$XDG_RUNTIME_DIR"
pids=()

clean_up() {
  for pid in "${pids[@]:-}"; do [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null; done
  rm -rf "$place"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

fail() { echo "tour: $1" >&2; exit 1; }

# step EXPECTED-STATUS COMMAND: shows the command, runs it, keeps its output in $output, checks how it ended.
step() {
  local expected=$1 status; shift
  printf '\n$ %s\n' "$*"
  output=$(eval "$*" 2>&1); status=$?
  [ -n "$output" ] && printf '%s\n' "$output"
  [ "$expected" = 0 ] || echo "(exit code $status)"
  [ "$status" = "$expected" ] || fail "exit code $status instead of $expected"
}

shows() { case $output in *"$1"*) ;; *) fail "expected to see: $1" ;; esac; }

for node in n1 n2 n3; do
  step 0 "gridctl node start --detach --name $node --pid-file $place/$node.pid"
  pids+=("$(cat "$place/$node.pid")")
done
step 0 'gridctl peers'; shows n3
step 0 'gridctl spawn exec calc --on n2 -- bc -l'
step 0 "gridctl ask calc '2^10'"; shows 1024
step 0 'gridctl spawn counter hits'
step 0 'seq 1 1000 | gridctl tell hits --lines'
step 0 'gridctl ask hits'; shows 500500
step 67 'gridctl tell nobody hello'
step 0 'gridctl dead-letters list -o json'; shows '"target": "nobody"'
step 0 "kill -9 ${pids[1]}    # node n2"
step 67 'gridctl ask calc 1'
step 0 'gridctl spawn exec calc -- bc -l'
step 0 "gridctl ask calc '6*7'"; shows 42
step 0 'gridctl peers'; shows dead
for node in n1 n3; do step 0 "gridctl node stop $node"; done
printf '\nThe tour is over; everything it started is gone.\n'
