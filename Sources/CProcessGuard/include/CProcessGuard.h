/// The guard of child processes, and their keepers.
///
/// The guard is one small helper process per node: it starts the children and tells the node how they end. Between the
/// guard and each child stands a keeper, a process that does nothing but wait: everything that descends from the child
/// comes to its keeper when its own parent ends, whatever it did to its group or session, so the keeper finds and kills
/// all of it when the child ends, when it is told to, when the child's time is over, and when the node or the guard is
/// gone, however they went. A program that a client wraps has the same keeper, without a guard.
///
/// Both are forked without exec, so that a program that embeds a node needs no other executable. After the fork they
/// run only async-signal-safe calls on static memory. They talk over SOCK_SEQPACKET socket pairs: one struct below per
/// packet, in the byte order of the machine.
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
/// Send `signal` to the process group of the child; SIGKILL goes to everything that descends from it.
#define GRID_GUARD_SIGNAL 2u
/// The run limit was ended: every child under one looks at it now.
#define GRID_GUARD_RECHECK 3u

/// The program runs: exec succeeded. `process` is its id, and the id of its group and session.
#define GRID_GUARD_STARTED 1u
/// The program could not be started: `status` is the errno, `step` says at what. Nothing of it is left.
#define GRID_GUARD_FAILED 2u
/// The child and all that descends from it are gone. `status` is the child's wait status.
#define GRID_GUARD_EXITED 3u
/// The terminal stopped the program (attached programs with a group of their own only). `status` is the signal.
#define GRID_GUARD_STOPPED 4u

/// The steps of a start that can fail.
#define GRID_GUARD_STEP_FORK 1u
#define GRID_GUARD_STEP_PAYLOAD 2u
#define GRID_GUARD_STEP_DESCRIPTORS 3u
#define GRID_GUARD_STEP_DIRECTORY 4u
#define GRID_GUARD_STEP_EXECUTE 5u
/// The program exists, what should run it (the interpreter of a script, the loader of a binary) does not.
#define GRID_GUARD_STEP_INTERPRETER 6u
#define GRID_GUARD_STEP_CGROUP 7u
#define GRID_GUARD_STEP_USER 8u
/// This and what follows: a limit could not be set, the one of that number in the payload, counted from here.
#define GRID_GUARD_STEP_LIMIT 16u

/// From the node to the guard. `identifier` names the child for its whole life and is never used twice.
struct grid_guard_request {
  uint32_t kind;
  uint32_t identifier;
  int32_t signal;
  /// For a start: the number of the run limit that the child is under, 0 for none.
  uint32_t limit;
};

/// From the guard to the node. For each spawn: one FAILED, or one STARTED and later one EXITED.
struct grid_guard_event {
  uint32_t kind;
  uint32_t identifier;
  int32_t process;
  int32_t status;
  uint32_t step;
};

/// The start of a payload. The limits follow, the numbers of the supplementary groups as uint32_t, and then strings,
/// each ended by a NUL, in this order: the directory of the control group (when `cgroups` is 1), the working directory
/// (when `directories` is 1), the arguments with argv[0], the environment as NAME=VALUE, the paths to try in turn.
struct grid_guard_payload {
  uint32_t directories;
  uint32_t arguments;
  uint32_t environment;
  uint32_t candidates;
  uint32_t cgroups;
  uint32_t limits;
  /// 1 when the program runs as another user, with the group and the supplementary groups that are here.
  uint32_t has_user;
  uint32_t user;
  uint32_t group;
  uint32_t groups;
};

/// What setrlimit(2) is told.
struct grid_guard_limit {
  uint32_t resource;
  uint32_t padding;
  uint64_t soft;
  uint64_t hard;
};

/// Until when programs may run, in memory that is shared with their keepers: moving it costs no system call and no
/// message, and it holds although the process that moves it is stopped.
struct grid_run_limit;

/// Returns NULL and sets errno when there is no memory.
struct grid_run_limit *grid_run_limit_make(void);
void grid_run_limit_free(struct grid_run_limit *limit);

/// The number of the present limit, never 0. Programs started under an earlier one may run no more.
uint32_t grid_run_limit_number(const struct grid_run_limit *limit);

/// Moves the limit to `until`, in nanoseconds of CLOCK_BOOTTIME. Programs get SIGTERM `notice` nanoseconds before it,
/// and SIGKILL at it, with all that descends from them.
void grid_run_limit_extend(struct grid_run_limit *limit, int64_t until, int64_t notice);

/// Ends the limit for good: the next one has another number. Keepers see it when they are told to look.
void grid_run_limit_end(struct grid_run_limit *limit);

/// Forks the guard. Returns 0 and sets the node's end of the socket (close-on-exec, not blocking), a descriptor that
/// reads its end once the guard and all keepers are gone, and the id of the guard's process, which the caller reaps; or
/// returns an errno. `limit` may be NULL and must live as long as the guard.
int grid_guard_start(const struct grid_run_limit *limit, int *node_socket, int *lifeline, pid_t *process);

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

/// How a program is attached to this process.
struct grid_attachment {
  /// What becomes its standard input and output instead of ours; -1 for ours. Not closed here.
  int input;
  int output;
  /// It leads a process group of its own.
  bool own_group;
  /// That group becomes the foreground group of the terminal that is our standard input.
  bool foreground;
  /// What it leaves behind when it ends by itself may live on, as after a shell's program; what it leaves when it is
  /// interrupted is killed when it has not ended soon.
  bool leaves_descendants;
  /// Until when it may run; NULL for as long as it likes.
  const struct grid_run_limit *limit;
};

/// Starts a program below a keeper, on the descriptors 0, 1 and 2 of this process and no others, with default signal
/// dispositions. `arguments` and `environment` end with NULL; the program is looked for in the PATH.
///
/// Returns 0 and sets our end of the socket to the keeper (close-on-exec) and the keeper's process, which the caller
/// reaps; or an errno. The socket tells events as a guard does, takes GRID_GUARD_SIGNAL and GRID_GUARD_RECHECK, and
/// reads its end when the keeper is gone; when it is closed, the program is killed.
int grid_attached_start(char *const arguments[], char *const environment[], const struct grid_attachment *attachment,
                        int *keeper_socket, pid_t *keeper);

/// Receives one event of an attached program; waits for it. Returns as ``grid_guard_receive`` does.
int grid_attached_receive(int keeper_socket, struct grid_guard_event *event);

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

/// Keeps this process's memory to itself: no core files of it, and nobody but root may look into it. What it forks is
/// the same; programs that a guard or ``grid_attached_start`` starts later may have core files as before. Returns 0 or
/// an errno. To be called before the first guard starts.
int grid_process_withhold(void);

/// Names the calling thread for `ps -L` and debuggers; at most 15 bytes.
void grid_guard_name_thread(const char *name);

#endif
