/// Shared by the files of the guard; see CProcessGuard.h for what it is.

#ifndef GRID_GUARD_H
#define GRID_GUARD_H

#include "CProcessGuard.h"

/// What a child writes to its status pipe when it cannot become the program.
struct grid_guard_failure {
  uint32_t step;
  int32_t error;
};

/// What a child of the guard needs to become its program.
struct grid_guard_launch {
  int payload;
  int standard[3];
};

/// What a keeper is told when it is made.
struct grid_keeper {
  uint32_t identifier;
  /// Events go out here, requests come in, and its end means that the other side is gone.
  int owner;
  /// Descriptors of processes that must stay alive, or -1.
  int lives[2];
  /// Held open for as long as the keeper lives, or -1.
  int lifeline;
  /// Until when the program may run, and the number of that limit; 0 for as long as it likes.
  const struct grid_run_limit *limit;
  uint32_t limit_number;
  bool own_group;
  bool reports_stops;
  bool leaves_descendants;
  /// Becomes the program, in a child of the keeper.
  void (*become)(const void *launch, int status_pipe);
  const void *launch;
};

/// What came of an attempt to kill processes: how many took the signal, and how many the kernel refused.
struct grid_guard_tally {
  int signalled;
  int denied;
};

/// Forks without running fork handlers: those may wait for locks that threads of the node held at the first fork.
pid_t grid_guard_fork(void);

/// The guard's life, from the fork to its end. `node` is the process that must stay alive.
_Noreturn void grid_guard_main(int guard_socket, int lifeline, pid_t node, const struct grid_run_limit *limit);

/// A keeper's life, from the fork to its end.
_Noreturn void grid_keeper_main(const struct grid_keeper *keeper);

/// The child's life, from the fork to exec. `launch` is a `struct grid_guard_launch`.
void grid_guard_become(const void *launch, int status_pipe);

/// Lets this process have core files again, when ``grid_process_withhold`` has taken them: for what is about to become
/// a program of its own.
void grid_process_release_core(void);

/// Tells through the status pipe why there is no program, and ends.
_Noreturn void grid_guard_fail(int status_pipe, uint32_t step, int error);

/// Sets every disposition to the default one, and blocks every signal.
void grid_guard_reset_signals(void);

/// Closes every descriptor from 3 on but those; negative ones are ignored.
void grid_guard_close_all_but(const int *kept, int count);

/// Puts /dev/null in place of the standard descriptors.
void grid_guard_let_go_of_standard(void);

/// Opens a descriptor that becomes readable when the process ends; -1 where the kernel has none.
int grid_guard_watch(pid_t process);

/// Writes a name over the command line that `ps` shows, and the one of the thread, so that killing a node by its
/// command line or name (`pkill -9 -f 'node start'`) does not kill who must outlive it. At most 15 bytes.
void grid_guard_rename(const char *name);

/// Kills the direct children of the calling process, also those that were handed to it, but those that `is_spared`.
struct grid_guard_tally grid_guard_kill_children(bool (*is_spared)(pid_t process));

/// Nanoseconds of CLOCK_BOOTTIME.
int64_t grid_guard_now(void);

/// What a limit says of a program that was started under `number`.
enum grid_run_phase { GRID_RUN_FREE, GRID_RUN_NOTICED, GRID_RUN_OVER };

/// Sets when to look again.
enum grid_run_phase grid_run_limit_phase(const struct grid_run_limit *limit, uint32_t number, int64_t *next);

#endif
