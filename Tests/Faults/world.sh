# A world of network namespaces for the fault tests: three members of etcd and three nodes, each with an address of its
# own on one bridge. Sourced by faults.sh; needs root, iproute2, iptables and etcd. Leaves nothing behind.
set -u
program=${GRIDCTL:-$(command -v gridctl)}
tag=g$(( $$ % 10000 ))
net=10.$(( 64 + $$ % 64 )).$(( ($$ / 64) % 250 ))
place=$(mktemp -d /tmp/gridctl-faults-XXXXXX)
export XDG_RUNTIME_DIR=$place/run XDG_STATE_HOME=$place/state XDG_CONFIG_HOME=$place/config ETCDCTL_API=3
unset GRIDCTL_ENDPOINTS GRIDCTL_NAMESPACE GRIDCTL_OUTPUT GRIDCTL_TIMEOUT GRIDCTL_CONTEXT
mkdir -m 700 "$XDG_RUNTIME_DIR"
(umask 077; head -c 32 /dev/urandom > "$place/secret") # as copied to three machines
members="http://$net.11:2379,http://$net.12:2379,http://$net.13:2379"
store="etcd://$net.11:2379,$net.12:2379,$net.13:2379"

gridctl() { timeout 20 "$program" "$@"; }
inside() { ip netns exec "$tag-$1" "${@:2}"; }
now() { echo $(( ${EPOCHREALTIME/./} / 1000 )); }
say() { printf '    %s\n' "$*"; }
fail() { echo "FAULT TEST FAILED: $*" >&2; tail -n 12 "$place"/n?.log >&2; kill -USR1 $$; exit 1; }
# within SECONDS COMMAND…: repeats until it succeeds; prints the milliseconds it took.
within() {
  local limit=$(( $1 * 1000 )) began; began=$(now); shift
  until "$@" >/dev/null 2>&1; do
    [ $(( $(now) - began )) -lt $limit ] || fail "not within $limit ms: $*"
    sleep 0.05
  done
  echo $(( $(now) - began ))
}

end_world() {
  local space
  for space in $(ip netns list | awk -v tag="$tag-" 'index($1, tag) == 1 {print $1}'); do
    ip netns pids "$space" | xargs -r kill -CONT 2>/dev/null
    ip netns pids "$space" | xargs -r kill -9 2>/dev/null
    ip netns del "$space"
  done
  rm -rf "$place"
}
trap end_world EXIT
trap 'exit 130' INT TERM
# A failure in a command substitution ends the whole run.
trap 'exit 1' USR1

add_space() { # NAME ADDRESS
  ip netns add "$tag-$1"
  ip -n "$tag-hub" link add "p$1" type veth peer name eth0 netns "$tag-$1"
  ip -n "$tag-hub" link set "p$1" master bridge up
  ip -n "$tag-$1" addr add "$net.$2/24" dev eth0
  ip -n "$tag-$1" link set eth0 up
  ip -n "$tag-$1" link set lo up
}

start_etcd() { # NUMBER [OPTION…]
  local number=$1 state=existing; shift
  [ -d "$place/etcd$number" ] || state=new
  ip netns exec "$tag-e$number" etcd --name "m$number" --data-dir "$place/etcd$number" --initial-cluster-state "$state" \
    --listen-client-urls "http://$net.1$number:2379" --advertise-client-urls "http://$net.1$number:2379" \
    --listen-peer-urls "http://$net.1$number:2380" --initial-advertise-peer-urls "http://$net.1$number:2380" \
    --initial-cluster "m1=http://$net.11:2380,m2=http://$net.12:2380,m3=http://$net.13:2380" "$@" \
    >> "$place/etcd$number.log" 2>&1 &
  echo $! > "$place/etcd$number.pid"; disown
}
etcd_is_well() { inside hub etcdctl --endpoints "$members" --command-timeout 1s get gridctl-probe; }
etcd_leader() { # prints the number of the leading member
  inside hub etcdctl --endpoints "$members" --command-timeout 2s endpoint status 2>/dev/null |
    awk -F', ' '$5 == "true" {print $1}' | sed "s/.*$net.1\([123]\):.*/\1/" | head -1
}
start_node() { # NUMBER
  ip netns exec "$tag-n$1" "$program" node start --name "n$1" --listen "$net.2$1:4743" --insecure --allow-exec --store "$store" \
    --state-dir "$place/n$1" --secret-file "$place/secret" --kinds-file "$place/kinds.yaml" --log-level info > "$place/n$1.log" 2>&1 &
  echo $! > "$place/n$1.pid"; disown
}
pid() { cat "$place/$1.pid"; }
is_running() { case $(ps -o stat= -p "$1") in '' | Z*) false ;; esac; } # a killed child may not be reaped yet
socket() { echo "unix:$XDG_RUNTIME_DIR/gridctl/default/$1.sock"; }
at() { gridctl "${@:2}" --endpoint "$(socket "$1")"; }
answers() { at "$1" node ping; }
sees_all() { [ "$(at "$1" peers --no-headers 2>/dev/null | grep -c alive)" = 3 ]; }

# sever A B: what B sends does not arrive at A, and the other way round; both are namespaces. Dropped where it arrives:
# dropped where it leaves, the sender would see an error that no broken network gives.
address() { case $1 in e*) echo "$net.1${1#e}" ;; n*) echo "$net.2${1#n}" ;; esac; }
sever() {
  inside "$1" iptables -A INPUT -s "$(address "$2")" -j DROP
  inside "$2" iptables -A INPUT -s "$(address "$1")" -j DROP
}
heal() { local space; for space in e1 e2 e3 n1 n2 n3; do inside $space iptables -F INPUT; done; }
lose() { # SHARE: every node loses so much of what arrives
  local space
  for space in n1 n2 n3; do inside $space iptables -A INPUT -m statistic --mode random --probability "$1" -j DROP; done
}

begin_world() {
  ip netns add "$tag-hub"
  ip -n "$tag-hub" link add bridge type bridge
  ip -n "$tag-hub" addr add "$net.1/24" dev bridge
  ip -n "$tag-hub" link set bridge up
  local number
  for number in 1 2 3; do add_space "e$number" "1$number"; add_space "n$number" "2$number"; done
  for number in 1 2 3; do start_etcd $number "$@"; done
  within 20 etcd_is_well >/dev/null
  printf 'kinds:\n  leader:\n    command: [%s, %s]\n' "$here/ledger.sh" "$place/ledger" > "$place/kinds.yaml"
  for number in 1 2 3; do start_node $number; done
  for number in 1 2 3; do within 20 answers "n$number" >/dev/null; within 20 sees_all "n$number" >/dev/null; done
}
