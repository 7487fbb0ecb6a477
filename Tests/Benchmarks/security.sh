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
# The whole process of one ask, by each way in, 40 times in turns, so that what the machine does meanwhile is the same for
# all. Everything comes from the environment, as in a script: options would cost more than what is measured.
oneshots() {
  local way run began ended
  for run in $(seq 40); do
    for way in unix secret token tls; do
      began=$EPOCHREALTIME; "ask_by_$way" >/dev/null || exit 1
      ended=$EPOCHREALTIME
      echo $(( ${ended/./} - ${began/./} )) >> "$place/times.$way"
    done
  done
  for way in unix secret token tls; do
    note "oneshot_${way}_ms" "$(sort -n "$place/times.$way" | awk '{v[NR]=$1} END{printf "%.2f\n", (v[20]+v[21])/2000}')"
    rm "$place/times.$way"
  done
}
ask_by_unix() { gridctl ask echo-n1 hello; }
ask_by_secret() { GRIDCTL_ENDPOINTS=$clear gridctl ask echo-n1 hello; }
ask_by_token() { GRIDCTL_ENDPOINTS=$clear GRIDCTL_TOKEN_FILE=$place/token gridctl ask echo-n1 hello; }
ask_by_tls() {
  GRIDCTL_ENDPOINTS=$encrypted GRIDCTL_NAMESPACE=tls GRIDCTL_TLS_CA=$ca/ca.pem GRIDCTL_TLS_CERT=$ca/ada.pem \
    GRIDCTL_TLS_KEY=$ca/ada.key gridctl ask echo-t1 hello
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

for round in $(seq "$rounds"); do
  echo "round $round of $rounds" >&2
  for pair in "clear default n1 n2" "tls tls t1 t2"; do
    read -r name space from to <<< "$pair"
    measure tell_${name}_per_s perSecond tell sink-$to --from $from --count 2000000 --namespace $space
    measure ask_64_${name}_per_s perSecond ask echo-$to --from $from --count 200000 --clients 64 --namespace $space
    measure ask_${name}_p50_us p50Micros ask echo-$to --from $from --count 20000 --namespace $space
  done
  oneshots
done

table
for node in n1 n2; do gridctl node stop $node >/dev/null; done
for node in t1 t2; do gridctl --namespace tls node stop $node >/dev/null; done
