#!/usr/bin/env bash
# Fail-over: from kill -9 of the node that runs the singleton to the first answer of its successor, with nobody doing
# anything; ROUNDS times (10) on the embedded store and, where etcd is installed, on three members of etcd with the
# default lease of 5 s. GRIDCTL names the binary.
ROUNDS=${ROUNDS:-10}
. "$(dirname "$0")/common.sh"
machine
echo "command: ROUNDS=$rounds GRIDCTL=$program ${0##*/}"
printf 'kinds:\n  leader:\n    command: [sh, -c, "while read -r line; do echo $GRIDCTL_NODE; done"]\n' > "$place/kinds.yaml"

owner() { gridctl ask leader who -t 1s 2>/dev/null; }
measure() { # ENGINE [OPTION…]
  local engine=$1 round node began successor; shift
  for node in n1 n2 n3; do start_node $node --kinds-file "$place/kinds.yaml" "$@"; done
  until [ -n "$(owner)" ]; do sleep 0.02; done
  for round in $(seq "$rounds"); do
    node=$(owner); began=$(now)
    kill -9 "$(cat "$place/$node.pid")"
    until successor=$(owner) && [ "$successor" != "$node" ]; do sleep 0.01; done
    note "failover_${engine}_ms" $(( $(now) - began ))
    start_node "$node" --kinds-file "$place/kinds.yaml" "$@"
    gridctl wait 'peers>=3' -t 20s || exit 1
  done
  for node in n1 n2 n3; do gridctl node stop $node >/dev/null; done
}
measure embedded
if command -v etcd >/dev/null; then start_etcd; measure etcd --store "$store"; fi
table
