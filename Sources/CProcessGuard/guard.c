// The guard itself. Everything here runs in a copy of a multi-threaded process: only async-signal-safe calls, only
// static memory, no locks, no allocation, no Swift.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"

// Where a child is in its life; a child that failed to start only waits to be reaped.
enum child_phase { STARTING, RUNNING, FAILED_TO_START };

struct child {
  uint32_t identifier;
  pid_t process;
  int status_pipe;
  enum child_phase phase;
};

static struct child children[GRID_GUARD_MAXIMUM_CHILDREN];
static int child_count;
// Becomes readable when the node's process is gone, even when somebody else still holds its end of the socket.
static int node_process = -1;

static struct child *find_by_process(pid_t process) {
  for (int index = 0; index < child_count; index++)
    if (children[index].process == process) return &children[index];
  return NULL;
}

static struct child *find_by_identifier(uint32_t identifier) {
  for (int index = 0; index < child_count; index++)
    if (children[index].identifier == identifier) return &children[index];
  return NULL;
}

// Waits while the node is behind (it may be stopped), but not for a node that is gone: the main loop sees that next.
static void tell(struct grid_guard_event event) {
  for (;;) {
    if (send(GRID_GUARD_SOCKET, &event, sizeof event, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return;
    struct pollfd waits[] = {{GRID_GUARD_SOCKET, POLLOUT, 0}, {node_process, POLLIN, 0}};
    poll(waits, 2, -1);
    if (waits[1].revents != 0) return;
  }
}

static void tell_failed(uint32_t identifier, uint32_t step, int error) {
  tell((struct grid_guard_event){
      .kind = GRID_GUARD_FAILED, .identifier = identifier, .status = error, .step = step});
}

static void close_all(const int *descriptors, int count) {
  for (int index = 0; index < count; index++)
    if (descriptors[index] >= 0) close(descriptors[index]);
}

// Starts one child. Whether exec succeeds is learned later from the status pipe, so a program on a hanging file
// system holds up nothing but itself.
static void spawn(uint32_t identifier, const int *descriptors) {
  if (child_count == GRID_GUARD_MAXIMUM_CHILDREN) return tell_failed(identifier, GRID_GUARD_STEP_FORK, EAGAIN);
  int status_pipe[2];
  if (pipe2(status_pipe, O_CLOEXEC | O_NONBLOCK) < 0) return tell_failed(identifier, GRID_GUARD_STEP_FORK, errno);
  struct grid_guard_launch launch = {
      .payload = descriptors[0],
      .standard = {descriptors[1], descriptors[2], descriptors[3]},
      .status_pipe = status_pipe[1],
      .guard = getpid(),
  };
  pid_t process = grid_guard_fork();
  if (process == 0) grid_guard_become(&launch);
  int error = errno;
  close(status_pipe[1]);
  if (process < 0) {
    close(status_pipe[0]);
    return tell_failed(identifier, GRID_GUARD_STEP_FORK, error);
  }
  children[child_count++] = (struct child){identifier, process, status_pipe[0], STARTING};
}

// Signals the group, or the process alone while it has not made its group yet. The child has not been reaped, so its
// number cannot be anybody else's.
static void signal_child(const struct child *child, int signal_number) {
  if (kill(-child->process, signal_number) < 0) kill(child->process, signal_number);
}

// Looks whether a starting child became its program: the status pipe closes at exec, or holds what failed.
static void settle_start(struct child *child) {
  struct grid_guard_failure failure;
  ssize_t count = read(child->status_pipe, &failure, sizeof failure);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  close(child->status_pipe);
  child->status_pipe = -1;
  if (count == (ssize_t)sizeof failure) {
    child->phase = FAILED_TO_START;
    return tell_failed(child->identifier, failure.step, failure.error);
  }
  child->phase = RUNNING;
  tell((struct grid_guard_event){
      .kind = GRID_GUARD_STARTED, .identifier = child->identifier, .process = child->process});
}

static void forget(struct child *child) {
  if (child->status_pipe >= 0) close(child->status_pipe);
  *child = children[--child_count];
}

// Reaps all that ended. Returns whether any child, or orphan that was handed to the guard, is left.
static int reap(void) {
  for (;;) {
    siginfo_t ended = {0};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) < 0) return errno != ECHILD;
    if (ended.si_pid == 0) return 1;
    struct child *child = find_by_process(ended.si_pid);
    if (child != NULL) {
      if (child->phase == STARTING) settle_start(child);
      // Before reaping: as long as the dead leader holds the number, no other group can have it.
      kill(-child->process, SIGKILL);
    }
    int status = 0;
    if (waitpid(ended.si_pid, &status, 0) != ended.si_pid || child == NULL) continue;
    if (child->phase == RUNNING)
      tell((struct grid_guard_event){.kind = GRID_GUARD_EXITED,
                                     .identifier = child->identifier,
                                     .process = child->process,
                                     .status = status});
    forget(child);
  }
}

static int take_descriptors(struct msghdr *message, int descriptors[4]) {
  int count = 0;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int in_header = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    for (int index = 0; index < in_header && count < 4; index++)
      memcpy(&descriptors[count++], CMSG_DATA(header) + (size_t)index * sizeof(int), sizeof(int));
  }
  return count;
}

// Handles one request. Returns 0 when the node is gone.
static int serve_request(void) {
  union {
    char bytes[CMSG_SPACE(4 * sizeof(int))];
    struct cmsghdr alignment;
  } control;
  struct grid_guard_request request;
  struct iovec content = {.iov_base = &request, .iov_len = sizeof request};
  struct msghdr message = {
      .msg_iov = &content, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t count = recvmsg(GRID_GUARD_SOCKET, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (count == 0) return 0;
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  int descriptors[4] = {-1, -1, -1, -1};
  int received = take_descriptors(&message, descriptors);
  if (count == (ssize_t)sizeof request && request.kind == GRID_GUARD_SPAWN) {
    // Descriptors are missing when this process has no room for more.
    if (received == 4) spawn(request.identifier, descriptors);
    else tell_failed(request.identifier, GRID_GUARD_STEP_FORK, EMFILE);
  } else if (count == (ssize_t)sizeof request && request.kind == GRID_GUARD_SIGNAL) {
    struct child *child = find_by_identifier(request.identifier);
    if (child != NULL) signal_child(child, request.signal);
  }
  close_all(descriptors, received);
  return 1;
}

// Serves until the node is gone.
static void serve(int child_signals) {
  static struct pollfd waits[3 + GRID_GUARD_MAXIMUM_CHILDREN];
  for (;;) {
    waits[0] = (struct pollfd){GRID_GUARD_SOCKET, POLLIN, 0};
    waits[1] = (struct pollfd){child_signals, POLLIN, 0};
    waits[2] = (struct pollfd){node_process, POLLIN, 0};
    nfds_t count = 3;
    for (int index = 0; index < child_count; index++)
      if (children[index].phase == STARTING) waits[count++] = (struct pollfd){children[index].status_pipe, POLLIN, 0};
    if (poll(waits, count, -1) < 0) continue;
    if (waits[2].revents != 0) return;
    for (int index = 0; index < child_count; index++)
      if (children[index].phase == STARTING) settle_start(&children[index]);
    if (waits[1].revents != 0) {
      struct signalfd_siginfo ignored[16];
      while (read(child_signals, ignored, sizeof ignored) > 0) continue;
      reap();
    }
    if (waits[0].revents != 0 && !serve_request()) return;
  }
}

// Kills every group, then whatever is left below the guard, and stays until all of it is reaped. A process that the
// kernel cannot end (it waits for a dead disk) is given up after five seconds.
static void end_everything(void) {
  for (int index = 0; index < child_count; index++) signal_child(&children[index], SIGKILL);
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
  struct timespec now, deadline;
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  deadline.tv_sec += 5;
  do {
    grid_guard_kill_own_children();
    if (!reap()) return;
    sigtimedwait(&child_ended, NULL, &pause);
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while (now.tv_sec < deadline.tv_sec);
}

// Lets go of everything of the node: its descriptors would keep its ports and pipes open.
static void keep_only_socket(int guard_socket) {
  if (guard_socket == GRID_GUARD_SOCKET) fcntl(guard_socket, F_SETFD, FD_CLOEXEC);
  else dup3(guard_socket, GRID_GUARD_SOCKET, O_CLOEXEC);
  if (syscall(SYS_close_range, GRID_GUARD_SOCKET + 1, ~0u, 0) < 0) {
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    for (rlim_t descriptor = GRID_GUARD_SOCKET + 1; descriptor < limit.rlim_cur; descriptor++) close((int)descriptor);
  }
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  // 0 to 2 must be taken, or a child's pipe would land there; without /dev/null the socket itself keeps the places.
  for (int descriptor = 0; descriptor < GRID_GUARD_SOCKET; descriptor++)
    if (descriptor != nothing) dup2(nothing >= 0 ? nothing : GRID_GUARD_SOCKET, descriptor);
  if (nothing > GRID_GUARD_SOCKET) close(nothing);
}

// Every signal is blocked for the guard's whole life, so Ctrl-C or a polite kill never ends the children before the
// node decides; dispositions are the default ones, which the children inherit.
static void reset_signals(void) {
  // A kernel sigaction of zeros is SIG_DFL on every architecture. The C library's own function leaves out the two
  // signals it uses itself, which may have been ignored since before the node.
  static const unsigned long by_default[8];
  for (int number = 1; number < NSIG; number++) syscall(SYS_rt_sigaction, number, by_default, NULL, NSIG / 8);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
}

_Noreturn void grid_guard_main(int guard_socket, pid_t node) {
  setsid();
  reset_signals();
  keep_only_socket(guard_socket);
  prctl(PR_SET_NAME, "gridctl-guard");
  grid_guard_rename();
  // Orphans below the guard come to the guard: they are reaped, and found when the node ends.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  node_process = (int)syscall(SYS_pidfd_open, node, 0);
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  int child_signals = signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK);
  // The node may be gone already, and its number somebody else's.
  if (child_signals < 0 || getppid() != node) _exit(1);
  serve(child_signals);
  end_everything();
  _exit(0);
}
