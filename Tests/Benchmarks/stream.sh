#!/usr/bin/env bash
# A real stream of text: LINES lines (1000000) from standard input through tell --lines into a program on another node
# that counts them and checks their order. Prints the time and the most memory that sender and nodes ever had.
. "$(dirname "$0")/common.sh"
machine
lines=${LINES_TOLD:-1000000}
echo "command: LINES_TOLD=$lines GRIDCTL=$program ${0##*/}"
start_node n1; start_node n2
# Perl, since it handles a line when it comes: mawk waits until its buffer is full.
gridctl spawn exec count --on n2 --one-way -- perl -ne 'BEGIN { ($last, $result) = splice @ARGV, 0, 2 }
  $count++; $wrong++ if $_ != $count;
  if ($_ == $last) { open F, ">", "$result.new"; print F "$count ", $wrong + 0, "\n"; close F; rename "$result.new", $result }' \
  "$lines" "$place/result" >/dev/null || exit 1
began=$(now)
seq 1 "$lines" | "$program" tell count --lines - --endpoint "unix:$XDG_RUNTIME_DIR/gridctl/default/n1.sock" -q &
sender=$!
while kill -0 $sender 2>/dev/null; do
  sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$sender/status" 2>/dev/null >> "$place/sender"; sleep 0.05
done
wait $sender || { echo "tell ended with $?" >&2; exit 1; }
sent=$(now)
until [ -s "$place/result" ]; do sleep 0.01; done
read -r counted wrong < "$place/result"
peak() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(cat "$place/$1.pid")/status"; }
echo "$counted lines arrived, $wrong out of order; sent after $((sent - began)) ms, all handled after $(( $(now) - began )) ms"
echo "most resident memory: sender $(sort -n "$place/sender" | tail -1) KiB, n1 $(peak n1) KiB, n2 $(peak n2) KiB"
for node in n1 n2; do gridctl node stop $node >/dev/null; done
