# What the benchmarks share: a place of their own that is gone afterwards with every process, and medians.
set -u
program=${GRIDCTL:-$(command -v gridctl)}
rounds=${ROUNDS:-5}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
place=$(mktemp -d /tmp/gridctl-bench-XXXXXX)
export XDG_RUNTIME_DIR=$place/run XDG_STATE_HOME=$place/state XDG_CONFIG_HOME=$place/config
unset GRIDCTL_ENDPOINTS GRIDCTL_NAMESPACE GRIDCTL_OUTPUT GRIDCTL_TIMEOUT GRIDCTL_CONTEXT
mkdir -m 700 "$XDG_RUNTIME_DIR"
pids=()

clean_up() {
  for pid in "${pids[@]:-}"; do [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null; done
  for file in "$place"/*.pid; do [ -e "$file" ] && kill -9 "$(cat "$file")" 2>/dev/null; done
  rm -rf "$place"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

gridctl() { "$program" "$@"; }
start_node() { # NAME [OPTION…]
  gridctl node start --detach --name "$1" --listen 127.0.0.1:0 --pid-file "$place/$1.pid" "${@:2}" >/dev/null || exit 1
}
now() { echo $(( ${EPOCHREALTIME/./} / 1000 )); }
note() { echo "$1 $2" >> "$place/figures"; }
machine() {
  echo "machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(uname -sr)"
  echo "program: $program ($(gridctl --version))"
}
# Median, least and most of every figure that was noted.
table() {
  echo; printf '%-24s %14s %14s %14s\n' figure median least most
  awk '{print $1}' "$place/figures" | awk '!seen[$0]++' | while read -r name; do
    awk -v name="$name" '$1 == name {print $2}' "$place/figures" | sort -g | awk -v name="$name" '
      {v[NR] = $1} END {m = NR % 2 ? v[(NR+1)/2] : (v[NR/2] + v[NR/2+1]) / 2
      printf "%-24s %14.2f %14.2f %14.2f\n", name, m, v[1], v[NR]}'
  done
}
# Starts three members of etcd on loopback; sets $store.
start_etcd() {
  local base=$(( 20000 + $$ % 10000 * 4 )) cluster='' number
  for number in 1 2 3; do cluster+=",m$number=http://127.0.0.1:$((base + number))"; done
  store=etcd://127.0.0.1:$((base - 1)),127.0.0.1:$((base - 2)),127.0.0.1:$((base - 3))
  for number in 1 2 3; do
    etcd --name "m$number" --data-dir "$place/etcd$number" --initial-cluster "${cluster#,}" \
      --listen-client-urls "http://127.0.0.1:$((base - number))" \
      --advertise-client-urls "http://127.0.0.1:$((base - number))" \
      --listen-peer-urls "http://127.0.0.1:$((base + number))" \
      --initial-advertise-peer-urls "http://127.0.0.1:$((base + number))" >> "$place/etcd.log" 2>&1 &
    pids+=($!); disown
  done
  until ETCDCTL_API=3 etcdctl --endpoints "http://127.0.0.1:$((base - 1))" --command-timeout 1s get probe \
    >/dev/null 2>&1; do sleep 0.1; done
}
