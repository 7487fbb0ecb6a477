#!/usr/bin/env bash
# COUNT names (10000) registered on one node, heard of by two others, and freed; on the embedded store and, where etcd is
# installed, on three members of etcd. Medians of ROUNDS rounds (5). GRIDCTL names the binary.
. "$(dirname "$0")/common.sh"
machine
count=${COUNT:-10000}
echo "command: COUNT=$count ROUNDS=$rounds GRIDCTL=$program ${0##*/}, 64 claims at once"

measure() { # ENGINE [OPTION…]
  local engine=$1 node round result field; shift
  for node in n1 n2 n3; do start_node $node "$@"; done
  for round in $(seq "$rounds"); do
    result=$(gridctl bench names sink --count "$count" --clients 64 -o json) || exit 1
    [ "$(sed -n 's/^  "errors": \([0-9]*\),*$/\1/p' <<< "$result")" = 0 ] || { echo "$result" >&2; exit 1; }
    for field in perSecond watchedSeconds releasedPerSecond forgottenSeconds; do
      note "${engine}_$field" "$(sed -n "s/^  \"$field\": \([0-9.e+-]*\),*$/\1/p" <<< "$result")"
    done
  done
  for node in n1 n2 n3; do gridctl node stop $node >/dev/null; done
}
measure embedded
if command -v etcd >/dev/null; then start_etcd; measure etcd --store "$store"; fi
table
