/// The guard of child processes: one small helper process per node that starts the children, tells the node how they
/// end, and kills all of them when the node is gone, however it went (also by SIGKILL).
///
/// The guard is forked from the node without exec, so that a program that embeds a node needs no other executable.
/// After the fork it runs only async-signal-safe calls on static memory. Node and guard talk over a SOCK_SEQPACKET
/// socket pair: one struct below per packet, in the byte order of the machine.
///
/// Linux only. Every function here may be called from any thread; one socket is used by one thread at a time.

#ifndef GRID_PROCESS_GUARD_H
#define GRID_PROCESS_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The most children one guard holds at a time.
#define GRID_GUARD_MAXIMUM_CHILDREN 4096

/// The most bytes a command may have: its payload, with paths, arguments and environment.
#define GRID_GUARD_MAXIMUM_PAYLOAD 1048576

/// Start a child. Carries four descriptors: the payload and the child's standard input, output and error.
#define GRID_GUARD_SPAWN 1u
/// Send `signal` to the process group of the child.
#define GRID_GUARD_SIGNAL 2u

/// The program runs: exec succeeded. `process` is its id, and the id of its group and session.
#define GRID_GUARD_STARTED 1u
/// The program could not be started: `status` is the errno, `step` says at what. Nothing of it is left.
#define GRID_GUARD_FAILED 2u
/// The child ended and was reaped, the rest of its group was killed. `status` is a wait status.
#define GRID_GUARD_EXITED 3u

/// The steps of a start that can fail.
#define GRID_GUARD_STEP_FORK 1u
#define GRID_GUARD_STEP_PAYLOAD 2u
#define GRID_GUARD_STEP_DESCRIPTORS 3u
#define GRID_GUARD_STEP_DIRECTORY 4u
#define GRID_GUARD_STEP_EXECUTE 5u
/// The program exists, what should run it (the interpreter of a script, the loader of a binary) does not.
#define GRID_GUARD_STEP_INTERPRETER 6u

/// From the node to the guard. `identifier` names the child for its whole life and is never used twice.
struct grid_guard_request {
  uint32_t kind;
  uint32_t identifier;
  int32_t signal;
};

/// From the guard to the node. For each spawn: one FAILED, or one STARTED and later one EXITED.
struct grid_guard_event {
  uint32_t kind;
  uint32_t identifier;
  int32_t process;
  int32_t status;
  uint32_t step;
};

/// The start of a payload. Strings follow, each ended by a NUL, in this order: the working directory (when
/// `directories` is 1), the arguments with argv[0], the environment as NAME=VALUE, the paths to try in turn.
struct grid_guard_payload {
  uint32_t directories;
  uint32_t arguments;
  uint32_t environment;
  uint32_t candidates;
};

/// Forks the guard. Returns 0 and sets the node's end of the socket (close-on-exec, not blocking) and the id of the
/// guard's process, which the caller reaps; or returns an errno.
int grid_guard_start(int *node_socket, pid_t *process);

/// Sends one request with `descriptor_count` (0 or 4) descriptors, which stay open here. Never blocks.
/// Returns 0, or an errno: EAGAIN when the guard is behind, EPIPE or ECONNRESET when it is gone.
int grid_guard_send(int node_socket, const struct grid_guard_request *request, const int *descriptors,
                    size_t descriptor_count);

/// Receives one event. Never blocks. Returns 1 with an event, 0 when the guard is gone, or the negative errno.
int grid_guard_receive(int node_socket, struct grid_guard_event *event);

/// Puts `count` bytes of payload into memory that a descriptor stands for. Returns it or the negative errno.
int grid_guard_make_payload(const void *bytes, size_t count);

/// Makes a pipe with both ends close-on-exec. Returns 0 or an errno.
int grid_guard_make_pipe(int *read_end, int *write_end);

/// Makes a descriptor that wakes a poll() on it when it is written to. Returns it or the negative errno.
int grid_guard_make_wakeup(void);

/// Starts a program on the descriptors of this process, with default signal dispositions. With `own_group` it leads a
/// process group of its own. With `dies_with_thread` it is killed when the calling thread ends, so that thread must be
/// one that waits for it. `arguments` and `environment` end with NULL; the program is looked for in the PATH.
///
/// Ctrl-Z may stop the child before it runs the program. It must not hold this process then, as it would with
/// posix_spawn(), whose caller cannot be stopped while it waits.
///
/// Returns 0 and sets `process`, or an errno.
int grid_attached_start(char *const arguments[], char *const environment[], bool own_group, bool dies_with_thread,
                        int input, int output, pid_t *process);

/// Makes the pipe that taken signals are written to, one byte each, the signal's number. To be called once, before the
/// first signal is taken. Returns 0 and sets its end for reading, which stays open; or returns an errno.
int grid_termination_open(int *read_end);

/// Writes a signal to the pipe from now on, instead of what it did. Programs that are started meanwhile get its default
/// all the same, since no handler outlives exec. One thread at a time takes and gives back.
void grid_termination_take(int number);

/// Lets every signal that was taken do again what it did before.
void grid_termination_give_back(void);

/// Whether this process ignores the signal, as one that nohup(1) has started does SIGHUP.
bool grid_termination_is_ignored(int number);

/// Ignores the signal from now on.
void grid_termination_ignore(int number);

/// Names the calling thread for `ps -L` and debuggers; at most 15 bytes.
void grid_guard_name_thread(const char *name);

#endif
