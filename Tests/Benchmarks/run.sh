#!/usr/bin/env bash
# The benchmarks: gridctl, and beside it in the same rounds Erlang and redis-cli where they are installed. Every figure
# is the median of ROUNDS rounds (5); what is sent and what arrives is counted, by separate processes.
# GRIDCTL names the binary, a release build.
. "$(dirname "$0")/common.sh"
export ERL_CRASH_DUMP_SECONDS=0

# measure NAME FIELD COMMAND…: one field of a benchmark's result.
measure() {
  local name=$1 field=$2; shift 2
  local result; result=$(gridctl bench "$@" -o json) || { echo "bench $* failed" >&2; exit 1; }
  local value; value=$(sed -n "s/^  \"$field\": \([0-9.e+-]*\),*$/\1/p" <<< "$result")
  local lost; lost=$(awk -F'[:,]' '/"sent"/{s=$2} /"delivered"/{d=$2} /"errors"/{e=$2} END{print s-d+e}' <<< "$result")
  [ "$lost" = 0 ] || { echo "bench $*: $lost of the messages did not arrive" >&2; exit 1; }
  note "$name" "$value"
}
# milliseconds COMMAND…: the median time of 20 runs of a whole process.
milliseconds() {
  local run
  for run in $(seq 20); do
    local began=$EPOCHREALTIME; "$@" >/dev/null || return 1
    local ended=$EPOCHREALTIME
    echo $(( (${ended/./} - ${began/./}) ))
  done | sort -n | awk '{v[NR]=$1} END{printf "%.2f\n", (v[10]+v[11])/2000}'
}
# With --redis a server of our own is asked; the ping of redis-cli is the measure for a one-shot command.
start_redis() {
  command -v redis-server >/dev/null || return 1
  redis-server --unixsocket "$place/redis.sock" --port 0 --save '' --dir "$place" >/dev/null & pids+=($!); disown
  for _ in $(seq 50); do [ -S "$place/redis.sock" ] && return 0; sleep 0.1; done
  return 1
}
start_erlang() {
  command -v erlc >/dev/null || return 1
  erlc -o "$place" "$here/grid_peer.erl" || return 1
  ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$erlang_port epmd -address 127.0.0.1 -port "$erlang_port" & pids+=($!); disown
  export ERL_EPMD_PORT=$erlang_port
  (cd "$place" && exec erl -noshell -noinput -name "server$$@127.0.0.1" -setcookie bench \
    -kernel inet_dist_use_interface '{127,0,0,1}' -eval 'grid_peer:serve().') & pids+=($!); disown
  sleep 2
}
erlang_round() {
  (cd "$place" && timeout 120 erl -noshell -noinput -name "client$$@127.0.0.1" -setcookie bench \
    -kernel inet_dist_use_interface '{127,0,0,1}' -eval "grid_peer:run('server$$@127.0.0.1', 1000000).") \
    >> "$place/figures"
}

erlang_port=$(( 20000 + $$ % 20000 ))
machine
echo "command: ROUNDS=$rounds GRIDCTL=$program ${0##*/}, bodies of 100 bytes, both nodes on this machine"

for node in n1 n2; do
  start_node $node
done
for node in n1 n2; do
  gridctl spawn echo echo-$node --on $node >/dev/null; gridctl spawn sink sink-$node --on $node >/dev/null
done
with_redis=no; start_redis && with_redis=yes
with_erlang=no; start_erlang && with_erlang=yes

for round in $(seq "$rounds"); do
  echo "round $round of $rounds" >&2
  measure tell_remote_per_s perSecond tell sink-n2 --from n1 --count 4000000
  measure ask_remote_64_per_s perSecond ask echo-n2 --from n1 --count 300000 --clients 64
  measure ask_remote_p50_us p50Micros ask echo-n2 --from n1 --count 20000
  measure tell_local_per_s perSecond tell sink-n1 --from n1 --count 4000000
  measure tell_local_8_per_s perSecond tell sink-n1 --from n1 --count 4000000 --clients 8
  measure ask_local_per_s perSecond ask echo-n1 --from n1 --count 1000000
  measure spawn_per_s perSecond spawn sink --count 200000 --from n2
  [ $with_erlang = yes ] && erlang_round
  note oneshot_ask_ms "$(milliseconds gridctl ask echo-n1 hello)"
  note oneshot_version_ms "$(milliseconds gridctl --version)"
  [ $with_redis = yes ] && note redis_cli_ping_ms "$(milliseconds redis-cli -s "$place/redis.sock" ping)"
done
# A million idle actors, in a node of their own so that nothing else is in the figure.
start_node n3
measure idle_actor_bytes bytesPerActor spawn sink --count 1000000 --from n3

table
for node in n1 n2 n3; do gridctl node stop $node >/dev/null; done
[ $with_erlang = yes ] || echo 'Erlang is not installed (Debian: erlang-base), so it is not in the table.'
[ $with_redis = yes ] || echo 'redis is not installed (Debian: redis), so redis-cli is not in the table.'
