#!/usr/bin/env bash
# What security costs: messages between two nodes in clear text and under TLS, and one-shot commands over a Unix socket,
# over TCP with the secret, with a token, and under TLS with a certificate. Medians of ROUNDS rounds (5).
# GRIDCTL names the binary, a release build.
. "$(dirname "$0")/common.sh"

# measure NAME FIELD COMMAND…: one field of a benchmark's result.
measure() {
  local name=$1 field=$2; shift 2
  local result; result=$(gridctl bench "$@" -o json) || { echo "bench $* failed" >&2; exit 1; }
  note "$name" "$(sed -n "s/^  \"$field\": \([0-9.e+-]*\),*$/\1/p" <<< "$result")"
}
# milliseconds COMMAND…: the median time of 40 runs of a whole process.
milliseconds() {
  local run
  for run in $(seq 40); do
    local began=$EPOCHREALTIME; "$@" >/dev/null || return 1
    local ended=$EPOCHREALTIME
    echo $(( (${ended/./} - ${began/./}) ))
  done | sort -n | awk '{v[NR]=$1} END{printf "%.2f\n", (v[20]+v[21])/2000}'
}

machine
echo "command: ROUNDS=$rounds GRIDCTL=$program ${0##*/}, bodies of 100 bytes, all nodes on this machine"

ca=$place/ca
gridctl tls init-ca "$ca" --namespace tls >/dev/null
for name in t1 t2; do gridctl tls issue --ca "$ca" --namespace tls --name $name >/dev/null; done
gridctl tls issue --ca "$ca" --namespace tls --name ada --role operator >/dev/null
files() { echo --tls-ca "$ca/ca.pem" --tls-cert "$ca/$1.pem" --tls-key "$ca/$1.key"; }
for node in n1 n2; do start_node $node; done
for node in t1 t2; do
  start_node $node --namespace tls $(files $node)
done
address() { gridctl --namespace "$1" node info "$2" -o jsonpath='{.address}'; }
for pair in "default n1 n2" "tls t1 t2"; do
  read -r space here there <<< "$pair"
  gridctl --namespace $space spawn echo echo-$there --on $there >/dev/null
  gridctl --namespace $space spawn sink sink-$there --on $there >/dev/null
  gridctl --namespace $space spawn echo echo-$here --on $here >/dev/null
done
gridctl token create --role operator --out "$place/token"
clear=$(address default n1); encrypted=$(address tls t1)
shown=$(files ada)

for round in $(seq "$rounds"); do
  echo "round $round of $rounds" >&2
  for pair in "clear default n1 n2" "tls tls t1 t2"; do
    read -r name space from to <<< "$pair"
    measure tell_${name}_per_s perSecond tell sink-$to --from $from --count 2000000 --namespace $space
    measure ask_64_${name}_per_s perSecond ask echo-$to --from $from --count 200000 --clients 64 --namespace $space
    measure ask_${name}_p50_us p50Micros ask echo-$to --from $from --count 20000 --namespace $space
  done
  note oneshot_unix_ms "$(milliseconds gridctl ask echo-n1 hello)"
  note oneshot_secret_ms "$(milliseconds gridctl ask echo-n1 hello -e "$clear")"
  note oneshot_token_ms "$(milliseconds gridctl ask echo-n1 hello -e "$clear" --token-file "$place/token")"
  note oneshot_tls_ms "$(milliseconds gridctl ask echo-t1 hello --namespace tls -e "$encrypted" $shown)"
done

table
for node in n1 n2; do gridctl node stop $node >/dev/null; done
for node in t1 t2; do gridctl --namespace tls node stop $node >/dev/null; done
