#!/usr/bin/env bash
# What COUNT strangers (1000) at a node's port, idle, slow and with garbage, cost the others: memory, descriptors and the
# round trips of asks of a client, before and while they are there. Medians of ROUNDS rounds (5). GRIDCTL names the binary.
. "$(dirname "$0")/common.sh"
machine
count=${COUNT:-1000}
echo "command: COUNT=$count ROUNDS=$rounds GRIDCTL=$program ${0##*/}, a third each; 2000 asks a round, one at a time"

start_node n1
gridctl spawn echo e >/dev/null
pid=$(cat "$place/n1.pid")
port=$(gridctl node info -o 'jsonpath={.address}'); port=${port##*:}

measure() { # WHEN
  local result field round
  for round in $(seq "$rounds"); do
    # A client of its own connection, whose asks come in over the socket: lines of one process.
    result=$(seq 2000 | gridctl ask e --lines --parallel 1 -o jsonl | sed -n 's/.*"rttSeconds":\([0-9.e+-]*\).*/\1/p' |
      sort -g | awk '{v[NR] = $1 * 1e6} END {print v[int((NR + 1) / 2)], v[int(NR * 0.99)]}')
    note "p50_us_$1" "${result% *}"; note "p99_us_$1" "${result#* }"
    note "rss_MiB_$1" "$(awk '/VmRSS/ {print $2 / 1024}' "/proc/$pid/status")"
    note "descriptors_$1" "$(ls "/proc/$pid/fd" | wc -l)"
  done
}
measure before
python3 "$here/strangers.py" "$port" "$count" 3600 > "$place/strangers" & pids+=($!); disown
until grep -q ready "$place/strangers"; do sleep 0.1; done
measure during
note peak_MiB "$(awk '/VmHWM/ {print $2 / 1024}' "/proc/$pid/status")"
table
