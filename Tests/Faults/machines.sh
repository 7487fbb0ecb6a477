#!/usr/bin/env bash
# machines.sh: does what the README tells a newcomer with three machines to do, line by line. Each machine is a network
# namespace with directories of its own, and what the README says to copy is copied.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/world.sh"
readme=$here/../../README.md

# The block that makes an authority.
block=$(awk '/^```sh$/ {inside = 1; text = ""; next} /^```$/ {if (inside && text ~ /tls init-ca/) {printf "%s", text; exit}; inside = 0}
  inside {text = text $0 "\n"}' "$readme")
[ -n "$block" ] || fail 'the README has no block with tls init-ca'
mkdir "$place/bin" "$place/office"
ln -s "$program" "$place/bin/gridctl"
export PATH=$place/bin:$PATH

# on SPACE FOLDER LINE: as somebody on that machine types it, in a folder with directories of its own.
on() {
  local folder=$place/$2
  mkdir -p -m 700 "$folder/run"
  (cd "$folder" && XDG_RUNTIME_DIR=$folder/run XDG_STATE_HOME=$folder/state XDG_CONFIG_HOME=$folder/config \
    ip netns exec "$tag-$1" timeout 60 bash -c "$3")
}
# line PATTERN [NUMBER]: the lines of the block with it, with the addresses of this world; those of machine NUMBER.
line() {
  local number=${2:-1}
  grep -e "$1" <<< "$block" |
    sed "s/10\.0\.0\.9/$net.11/g; s/10\.0\.0\.1:/$net.2$number:/g; s/\bn1\./n$number./g"
}

ip netns add "$tag-hub"
ip -n "$tag-hub" link add bridge type bridge
ip -n "$tag-hub" addr add "$net.1/24" dev bridge
ip -n "$tag-hub" link set bridge up
add_space e1 11; for number in 1 2 3; do add_space "n$number" "2$number"; done
inside e1 etcd --data-dir "$place/etcd" --listen-client-urls "http://$net.11:2379" --log-output stderr \
  --advertise-client-urls "http://$net.11:2379" > "$place/etcd.log" 2>&1 & disown
members=http://$net.11:2379
within 20 etcd_is_well >/dev/null

echo 'three machines'
on hub office "$(line 'gridctl tls ')" > "$place/issued" || fail "the certificates: $(cat "$place/issued")"
say "$(grep -c 'gridctl tls' <<< "$block") lines make an authority and four certificates"
for number in 1 2 3; do
  mkdir -p "$place/machine$number"
  cp -p "$place/office/shop/ca.pem" "$place/office/shop/n$number."* "$place/machine$number/"
  on "n$number" "machine$number" "$(line 'gridctl node start' $number)" || fail "machine $number does not start"
done
mkdir "$place/desk"; cp -p "$place/office/shop/ca.pem" "$place/office/shop/ada."* "$place/desk/"
on hub desk "$(line 'gridctl context add')" || fail 'no context'
sees_three() { [ "$(on hub desk 'gridctl -C shop peers --no-headers' | grep -c alive)" = 3 ]; }
say "ada sees three nodes after $(within 20 sees_three) ms"
on hub desk "$(line 'gridctl -C shop')" || fail 'the last line'
on hub desk 'gridctl -C shop spawn counter hits --on n2 && gridctl -C shop ask hits 7' || fail 'an actor on another machine'

# Whoever has no certificate, or another one, comes to nothing, and is told why.
refused() { # WHO STATUS OPTION…
  local who=$1 status=$2; shift 2
  on hub desk "gridctl peers -e $net.21:4743 $* -t 5s" > "$place/out" 2> "$place/refusal"
  [ $? = "$status" ] || fail "$who: status $? instead of $status: $(cat "$place/refusal")"
  say "$who: $(head -1 "$place/refusal")"
}
refused 'without a certificate' 77 --tls-ca ca.pem
refused 'in clear text' 76
on hub desk "gridctl tls init-ca other && gridctl tls issue --ca other --name ada --role operator" >/dev/null
refused 'of another authority' 77 --tls-ca ca.pem --tls-cert other/ada.pem --tls-key other/ada.key
cp -p "$place/office/shop/n1."* "$place/desk/"
refused "with a node's certificate" 77 --tls-ca ca.pem --tls-cert n1.pem --tls-key n1.key
for number in 1 2 3; do on "n$number" "machine$number" "gridctl node stop n$number --yes" >/dev/null 2>&1; done
echo '    passed'
