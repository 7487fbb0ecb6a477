#!/usr/bin/env bash
# An exec actor that writes each line it is told into a ledger guarded by the fencing token: a write with a smaller
# token than one seen before is refused, and counted. Its reply is `ok NODE TOKEN` or `stale`.
# With a second argument it needs nobody to tell it anything and writes as fast as it can: a leader that acts.
file=$1
write() {
  exec 9>>"$file.lock"
  flock 9
  local last=0
  [ -s "$file.token" ] && last=$(<"$file.token")
  if [ "$GRIDCTL_FENCING_TOKEN" -lt "$last" ]; then
    echo "stale $GRIDCTL_FENCING_TOKEN after $last" >> "$file.stale"
    answer=stale
  else
    [ "$GRIDCTL_FENCING_TOKEN" = "$last" ] || echo "$GRIDCTL_FENCING_TOKEN" > "$file.token"
    echo "$GRIDCTL_FENCING_TOKEN $1" >> "$file"
    answer="ok ${GRIDCTL_NODE:-} $GRIDCTL_FENCING_TOKEN"
  fi
  exec 9>&-
}
if [ "${2:-}" = act ]; then
  while :; do write acts; sleep 0.01; done
fi
while read -r line; do write "$line"; echo "$answer"; done
