# What the lines of transcripts and scenarios have beside gridctl.

# Runs a line until it succeeds, for 15 s at most; prints what it printed last.
eventually() {
  local limit=$((SECONDS + 15)) output status
  while true; do
    output=$(eval "$1" 2>&1) && status=0 || status=$?
    if [ $status = 0 ] || [ $SECONDS -ge $limit ]; then break; fi
    sleep 0.05
  done
  if [ -n "$output" ]; then printf '%s\n' "$output"; fi
  return $status
}

# The endpoint of a node of the namespace.
at() { printf 'unix:%s/gridctl/%s/%s.sock' "$XDG_RUNTIME_DIR" "${2:-default}" "$1"; }

# The process of a node.
pid() { gridctl node info "$1" -o tsv | awk '$1 == "pid" { print $2 }'; }

# Starts a node in the background that nothing else on the machine can collide with.
start() { gridctl node start --detach --listen 127.0.0.1:0 "$@"; }

# Runs a line on a terminal and types the answer once it has asked; prints its exit code. What it showed is in screen.
answer() {
  rm -f keys screen; mkfifo keys; : >screen
  script -qfec "$2" /dev/null <keys >screen & local terminal=$! status=0
  exec 7>keys
  eventually 'test "$(tail -c 2 screen)" = ": "'
  printf '%s\n' "$1" >&7
  wait $terminal || status=$?
  exec 7>&-
  echo $status
}
