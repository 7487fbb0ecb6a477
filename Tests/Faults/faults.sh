#!/usr/bin/env bash
# faults.sh NAME…: breaks a cluster of three nodes and three members of etcd in one way each, and holds what users see
# against what is promised: one actor of a name, no stale write, nothing lost without a trace, no node gone or stuck.
# `faults.sh --list` names the faults. RUNS says how often the ones that are a matter of chance are repeated.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
faults='node-killed node-paused cut-from-etcd cut-from-peers split loss etcd-leader-killed etcd-leader-paused
  etcd-away compaction no-space hand-overs'
if [ "${1:-}" = --list ]; then echo $faults; exit 0; fi
. "$here/world.sh"
runs=${RUNS:-1}

owner() { at "${1:-n1}" leader show >/dev/null; at "${1:-n1}" ask leader "$(now)" 2>/dev/null | awk '$1 == "ok" {print $2}'; }
leader_answers_at() { [ -n "$(owner "$1")" ]; }
# Another than the node given answers for the singleton, seen from a node.
moved() { local node; node=$(owner "$2"); [ -n "$node" ] && [ "$node" != "$1" ]; }
others() { echo n1 n2 n3 | tr ' ' '\n' | grep -v "$1" | tr '\n' ' '; }
nothing_stale() { [ ! -s "$place/ledger.stale" ] || fail "stale writes: $(head -3 "$place/ledger.stale")"; }
all_well() {
  local node
  # All that are gone before any is asked: each is asked whether it sees all.
  for node in n1 n2 n3; do is_running "$(pid $node)" || start_node "${node#n}"; done
  for node in n1 n2 n3; do
    say "$node sees everybody again after $(within 30 sees_all $node) ms"
  done
  say "the singleton answers after $(within 20 leader_answers_at n1) ms"
  nothing_stale
}
prepare() { begin_world "$@"; within 15 leader_answers_at n1 >/dev/null; }

# Tells numbered messages to an actor that writes them down, until stopped, and notes what each sender was told.
keep_telling() { # NODE
  local number=0 status
  while [ ! -e "$place/enough" ]; do
    number=$((number + 1))
    at "$1" tell scribe "$number" -t 3s >/dev/null 2>&1; status=$?
    echo "$number $status" >> "$place/told"
  done
}
# Every message that was accepted was written down, or is a dead letter on some node.
account() {
  at n1 dead-letters list -o jsonl 2>/dev/null | sed -n 's/.*"body":"\([0-9]*\)".*/\1/p' > "$place/dead"
  awk '$2 == 0 {print $1}' "$place/told" | sort > "$place/accepted"
  sort -u "$place/scribe" "$place/dead" > "$place/explained"
  local missing; missing=$(comm -23 "$place/accepted" "$place/explained" | wc -l)
  say "$(wc -l < "$place/told") told: $(wc -l < "$place/accepted") accepted, $(wc -l < "$place/scribe") written," \
    "$(wc -l < "$place/dead") dead letters, $missing without a trace"
  [ "$missing" = 0 ] || fail "messages without a trace: $(comm -23 "$place/accepted" "$place/explained" | head -5)"
}
start_scribe() { # NODE
  : > "$place/scribe"; : > "$place/told"
  at n1 spawn exec scribe --on "$1" --if-absent -- sh -c "while read -r n; do echo \$n >> $place/scribe; echo ok; done" \
    >/dev/null || fail 'the scribe could not be spawned'
}

fault_node-killed() {
  local node; node=$(owner n1)
  local seen; seen=$(others "$node" | cut -d' ' -f1)
  start_scribe "$(others "$node" | cut -d' ' -f2)"; keep_telling "$seen" & local teller=$!
  kill -9 "$(pid "$node")"; local began; began=$(now)
  say "the singleton answers elsewhere after $(within 12 moved "$node" "$seen") ms"
  [ $(( $(now) - began )) -le 6500 ] || say 'slower than promised'
  sleep 1; touch "$place/enough"; wait $teller; account
  all_well
}
fault_node-paused() {
  local node; node=$(owner n1)
  local seen; seen=$(others "$node" | cut -d' ' -f1)
  kill -STOP "$(pid "$node")"
  say "the singleton answers elsewhere after $(within 12 moved "$node" "$seen") ms"
  sleep 3; kill -CONT "$(pid "$node")"
  all_well
  at "$node" events --since 1m --idle 300ms 2>/dev/null | grep -q 'lost its membership' ||
    fail 'the resumed node says nothing of its loss'
}
fault_cut-from-etcd() {
  local node; node=$(owner n1)
  local number seen; seen=$(others "$node" | cut -d' ' -f1)
  for number in 1 2 3; do sever "$node" "e$number"; done
  say "the singleton answers elsewhere after $(within 15 moved "$node" "$seen") ms"
  at "$node" spawn counter cut-off 2> "$place/refusal" && fail 'a cut-off node took a name'
  say "the cut-off node refuses: $(head -1 "$place/refusal")"
  heal; all_well
}
fault_cut-from-peers() {
  local node=n3 other
  for other in n1 n2; do sever $node $other; done
  local status; at n1 actors >/dev/null 2> "$place/warning"; status=$?
  sleep 4; at n1 actors >/dev/null 2> "$place/warning"; status=$?
  say "actors from n1 ends with $status: $(head -1 "$place/warning")"
  [ $status = 3 ] || fail 'a silent peer is not told of'
  heal; all_well
}
fault_split() { # n1 with etcd 1, against the rest
  local number
  for number in 2 3; do sever n1 n$number; sever n1 e$number; sever e1 e$number; sever e1 n$number; done
  say "the majority's singleton answers after $(within 20 leader_answers_at n2) ms"
  sleep 6
  at n1 spawn counter minority 2> "$place/refusal" && fail 'the minority took a name'
  say "the minority refuses: $(head -1 "$place/refusal")"
  heal; all_well
}
fault_loss() {
  start_scribe n2; keep_telling n1 & local teller=$!
  lose 0.2; sleep "${LOSS_SECONDS:-15}"; heal
  sleep 1; touch "$place/enough"; wait $teller; account
  all_well
}
fault_etcd-leader-killed() {
  local leader; leader=$(etcd_leader)
  kill -9 "$(pid "etcd$leader")"
  say "a name can be taken again after $(within 12 at n1 spawn counter after-kill -t 5s) ms"
  start_etcd "$leader"; all_well
}
# How many nodes lost their lease after a moment, and how long after it the last of them knew.
losses_since() { # MILLISECONDS
  local node
  for node in n1 n2 n3; do
    at "$node" events --since 10s --idle 200ms -o jsonl 2>/dev/null | sed -n '/lost its membership/s/.*"at":"\([^"]*\)".*/\1/p' |
      while read -r time; do echo $(( $(date -d "$time" +%s%3N) - $1 )); done | awk '$1 > 0' | head -1
  done | sort -n | awk '{last = $1} END {if (NR) print NR " nodes lost their lease, the last knew after " last " ms"; else print "no lease was lost"}'
}
fault_etcd-leader-paused() {
  local run leader
  for run in $(seq "$runs"); do
    leader=$(etcd_leader); [ -n "$leader" ] || fail 'etcd has no leader'
    kill -STOP "$(pid "etcd$leader")"; sleep 8; kill -CONT "$(pid "etcd$leader")"
    local resumed; resumed=$(now); sleep 2.5
    say "run $run: $(losses_since "$resumed"); everybody is there after $(within 10 sees_all n1) ms more," \
      "the singleton answers after $(within 10 leader_answers_at n1) ms"
    nothing_stale
  done
  all_well
}
fault_etcd-away() {
  local number
  for number in 1 2 3; do kill -STOP "$(pid "etcd$number")"; done
  sleep "${AWAY_SECONDS:-15}"
  at n1 spawn counter away -t 5s 2> "$place/refusal" && fail 'a name was taken without a store'
  say "meanwhile: $(head -1 "$place/refusal")"
  answers n1 >/dev/null || fail 'n1 does not answer'
  for number in 1 2 3; do kill -CONT "$(pid "etcd$number")"; done
  all_well
}
fault_compaction() {
  # n2 hears nothing while names come and go and the history is thrown away.
  local number revision
  for number in 1 2 3; do sever n2 "e$number"; done
  for number in $(seq 20); do at n1 spawn counter "quick-$number" >/dev/null; done
  revision=$(inside hub etcdctl --endpoints "$members" get gridctl-probe -w fields | sed -n 's/"Revision" : //p')
  inside hub etcdctl --endpoints "$members" compact "$revision" >/dev/null
  heal
  all_well
  [ "$(at n2 actors --no-headers 2>/dev/null | grep -c quick-)" = 20 ] || fail 'n2 does not see all actors'
  at n2 ask quick-20 >/dev/null || fail 'n2 does not reach quick-20'
}
fault_no-space() { # the members were started with a small quota
  local number
  head -c 900000 /dev/zero | tr '\0' x > "$place/filler"
  for number in $(seq 40); do
    inside hub etcdctl --endpoints "$members" put "filler-$number" < "$place/filler" >/dev/null 2>&1 || break
  done
  at n1 spawn counter full -t 5s 2> "$place/refusal" && fail 'a name was taken in a full store'
  say "full: $(head -1 "$place/refusal")"
  grep -q NOSPACE "$place/refusal" || fail 'the reason is not named'
  inside hub etcdctl --endpoints "$members" del --prefix filler- >/dev/null
  local revision; revision=$(inside hub etcdctl --endpoints "$members" get gridctl-probe -w fields | sed -n 's/"Revision" : //p')
  inside hub etcdctl --endpoints "$members" compact "$revision" >/dev/null
  inside hub etcdctl --endpoints "$members" defrag >/dev/null
  inside hub etcdctl --endpoints "$members" alarm disarm >/dev/null
  say "a name can be taken again after $(within 10 at n1 spawn counter full -t 5s) ms"
  all_well
}
fault_hand-overs() {
  # Two candidates that act all the time; the leader is asked to give up, killed, or loses its node, again and again.
  local count=${HAND_OVERS:-20} done=0 token=0 candidate node
  campaign() {
    while [ ! -e "$place/enough" ]; do
      "$program" leader run acting --endpoint "$(socket "$1")" --grace 1s -- "$here/ledger.sh" "$place/acts" act \
        >/dev/null 2>&1
    done
  }
  { campaign n1 2>/dev/null & } 2>/dev/null; local first=$!
  { campaign n2 2>/dev/null & } 2>/dev/null; local second=$!
  newer() { local next; next=$(at n3 leader show acting -o jsonl | sed -n 's/.*"token":\([0-9]*\).*/\1/p'); [ "${next:-0}" -gt "$token" ]; }
  while [ $done -lt "$count" ]; do
    within 15 newer >/dev/null
    token=$(at n3 leader show acting -o jsonl | sed -n 's/.*"token":\([0-9]*\).*/\1/p'); token=${token:-0}
    node=$(at n3 leader show acting -o jsonl | sed -n 's/.*"node":"\([^"]*\)".*/\1/p')
    case $((done % 4)) in
      0 | 1) at n3 leader resign acting >/dev/null 2>&1 ;;
      *) pkill -9 -f "leader run acting --endpoint $(socket "$node")" ;;
    esac
    done=$((done + 1))
  done
  touch "$place/enough"; pkill -9 -f "leader run acting --endpoint unix:$place"; wait $first $second 2>/dev/null
  local stale=0; [ -s "$place/acts.stale" ] && stale=$(wc -l < "$place/acts.stale")
  say "$done hand-overs, $(wc -l < "$place/acts") writes, $(cut -d' ' -f1 "$place/acts" | uniq | wc -l) tokens in order, $stale stale attempts"
  [ "$stale" = 0 ] || fail "two leaders acted: $(head -3 "$place/acts.stale")"
  [ "$(cut -d' ' -f1 "$place/acts" | uniq | wc -l)" = "$(cut -d' ' -f1 "$place/acts" | sort -n | uniq | wc -l)" ] ||
    fail 'an earlier leader wrote after a later one'
}

for fault in "$@"; do
  case " $(echo $faults) " in *" $fault "*) ;; *) echo "faults.sh: no fault $fault; see --list" >&2; exit 64 ;; esac
done
fault=$1
echo "$fault"
case $fault in no-space) prepare --quota-backend-bytes 16777216 ;; *) prepare ;; esac
"fault_$fault"
echo "    passed"
