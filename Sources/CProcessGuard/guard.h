/// Shared by the files of the guard; see CProcessGuard.h for what it is.

#ifndef GRID_GUARD_H
#define GRID_GUARD_H

#include "CProcessGuard.h"

/// Where the guard keeps its end of the socket.
#define GRID_GUARD_SOCKET 3

/// What a child writes to its status pipe when it cannot become the program.
struct grid_guard_failure {
  uint32_t step;
  int32_t error;
};

/// What the process of a child needs to become the program.
struct grid_guard_launch {
  int payload;
  int standard[3];
  int status_pipe;
  pid_t guard;
};

/// Forks without running fork handlers: those may wait for locks that threads of the node held at the first fork.
pid_t grid_guard_fork(void);

/// The guard's life, from the fork to its end. `node` is the process that must stay alive.
_Noreturn void grid_guard_main(int guard_socket, pid_t node);

/// The child's life, from the fork to exec.
_Noreturn void grid_guard_become(const struct grid_guard_launch *launch);

/// Writes the guard's name over the command line that `ps` shows, so that killing a node by its command line
/// (`pkill -9 -f 'node start'`) does not kill the guard with it.
void grid_guard_rename(void);

/// Kills every direct child of the calling process, also those that left their group and were handed to it.
void grid_guard_kill_own_children(void);

#endif
