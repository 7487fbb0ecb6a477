// The guard itself. Everything here runs in a copy of a multi-threaded process: only async-signal-safe calls, only
// static memory, no locks, no allocation, no Swift.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard.h"

// What the node has been told of a child. Nothing more is told after the last two.
enum child_phase { STARTING, RUNNING, TOLD_FAILED, TOLD_EXITED };

struct child {
  uint32_t identifier;
  // 0 once the keeper is gone before its child was.
  pid_t keeper;
  int socket;
  enum child_phase phase;
};

static struct child children[GRID_GUARD_MAXIMUM_CHILDREN];
static int child_count;

static int node_socket = -1;
static int held_lifeline = -1;
// Become readable when the process is gone, even when somebody else still holds its end of a socket.
static int node_process = -1;
static int own_process = -1;
static int events = -1;
static int child_signals = -1;
static const struct grid_run_limit *run_limit;
// Set once everything is to end: in nanoseconds, when what has not ended by then is given up.
static int64_t deadline;

// What the guard waits for beside the sockets of keepers, which are known by the identifiers of their children.
enum { NODE_SOCKET = UINT32_MAX, NODE_PROCESS = UINT32_MAX - 1, CHILD_SIGNALS = UINT32_MAX - 2 };

static const int64_t nanoseconds_to_end = 5000000000;
static const int milliseconds_between_kills = 20;

static struct child *find_by_keeper(pid_t keeper) {
  for (int index = 0; index < child_count; index++)
    if (children[index].keeper == keeper) return &children[index];
  return NULL;
}

static struct child *find_by_identifier(uint32_t identifier) {
  for (int index = 0; index < child_count; index++)
    if (children[index].identifier == identifier) return &children[index];
  return NULL;
}

static bool is_keeper(pid_t process) { return find_by_keeper(process) != NULL; }

// Waits while the node is behind (it may be stopped), but not for a node that is gone: the main loop sees that next.
static void tell(struct grid_guard_event event) {
  for (;;) {
    if (send(node_socket, &event, sizeof event, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return;
    struct pollfd waits[] = {{node_socket, POLLOUT, 0}, {node_process, POLLIN, 0}};
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

static int wait_for(int descriptor, uint32_t name) {
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = name};
  return epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event) < 0 ? errno : 0;
}

// Starts one child below a keeper, which tells how it went: a program on a hanging file system holds up nothing but
// itself.
static void spawn(const struct grid_guard_request *request, const int *descriptors) {
  uint32_t identifier = request->identifier;
  if (child_count == GRID_GUARD_MAXIMUM_CHILDREN) return tell_failed(identifier, GRID_GUARD_STEP_FORK, EAGAIN);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return tell_failed(identifier, GRID_GUARD_STEP_FORK, errno);
  struct grid_guard_launch launch = {
      .payload = descriptors[0], .standard = {descriptors[1], descriptors[2], descriptors[3]}};
  struct grid_keeper keeper = {
      .identifier = identifier,
      .owner = ends[1],
      .lives = {own_process, node_process},
      .lifeline = held_lifeline,
      .limit = run_limit,
      .limit_number = run_limit == NULL ? 0 : request->limit,
      .own_group = true,
      .become = grid_guard_become,
      .launch = &launch,
  };
  int error = wait_for(ends[0], identifier);
  pid_t process = error != 0 ? -1 : grid_guard_fork();
  if (process == 0) grid_keeper_main(&keeper);
  if (process < 0 && error == 0) error = errno;
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    return tell_failed(identifier, GRID_GUARD_STEP_FORK, error);
  }
  children[child_count++] = (struct child){identifier, process, ends[0], STARTING};
}

// Passes on what a keeper says. A keeper whose socket has ended is about to be reaped.
static void hear(struct child *child) {
  struct grid_guard_event event;
  while (child->socket >= 0) {
    ssize_t count = recv(child->socket, &event, sizeof event, MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count != (ssize_t)sizeof event) {
      close(child->socket);
      child->socket = -1;
      return;
    }
    switch (event.kind) {
    case GRID_GUARD_STARTED: child->phase = RUNNING; break;
    case GRID_GUARD_FAILED: child->phase = TOLD_FAILED; break;
    case GRID_GUARD_EXITED: child->phase = TOLD_EXITED; break;
    default: continue;
    }
    tell(event);
  }
}

static void pass_on(const struct child *child, const struct grid_guard_request *request) {
  // A keeper that has not read the last hundred has enough to wake for.
  if (child->socket >= 0) send(child->socket, request, sizeof *request, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void forget(struct child *child) {
  if (child->socket >= 0) close(child->socket);
  *child = children[--child_count];
}

// Somebody killed keepers: what they kept was handed to the guard, and is killed before its end is told.
static bool end_strays(void) {
  bool has_lost = false;
  for (int index = 0; index < child_count; index++) has_lost = has_lost || children[index].keeper == 0;
  if (!has_lost) return false;
  if (grid_guard_kill_children(is_keeper).signalled > 0) return true;
  for (int index = child_count - 1; index >= 0; index--) {
    struct child *child = &children[index];
    if (child->keeper != 0) continue;
    if (child->phase == STARTING) tell_failed(child->identifier, GRID_GUARD_STEP_FORK, ECHILD);
    if (child->phase == RUNNING)
      tell((struct grid_guard_event){
          .kind = GRID_GUARD_EXITED, .identifier = child->identifier, .status = SIGKILL});
    forget(child);
  }
  return false;
}

// Reaps all that ended. Returns whether anything is left below the guard.
static bool reap(void) {
  for (;;) {
    pid_t ended = waitpid(-1, NULL, WNOHANG);
    if (ended < 0) return errno != ECHILD;
    if (ended == 0) return true;
    struct child *child = find_by_keeper(ended);
    if (child == NULL) continue;
    hear(child);
    if (child->phase == TOLD_FAILED || child->phase == TOLD_EXITED) forget(child);
    else child->keeper = 0;
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

// Handles one request. Returns false when the node is gone.
static bool serve_request(void) {
  union {
    char bytes[CMSG_SPACE(4 * sizeof(int))];
    struct cmsghdr alignment;
  } control;
  struct grid_guard_request request;
  struct iovec content = {.iov_base = &request, .iov_len = sizeof request};
  struct msghdr message = {
      .msg_iov = &content, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t count = recvmsg(node_socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (count == 0) return false;
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  int descriptors[4] = {-1, -1, -1, -1};
  int received = take_descriptors(&message, descriptors);
  if (count == (ssize_t)sizeof request) {
    struct child *child = find_by_identifier(request.identifier);
    switch (request.kind) {
    case GRID_GUARD_SPAWN:
      // Descriptors are missing when this process has no room for more.
      if (received == 4) spawn(&request, descriptors);
      else tell_failed(request.identifier, GRID_GUARD_STEP_FORK, EMFILE);
      break;
    case GRID_GUARD_SIGNAL:
      if (child != NULL) pass_on(child, &request);
      break;
    case GRID_GUARD_RECHECK:
      for (int index = 0; index < child_count; index++) pass_on(&children[index], &request);
      break;
    default: break;
    }
  }
  close_all(descriptors, received);
  return true;
}

// The node is gone or wants no more: everything is killed, and stays the guard's until all of it is gone. What the
// kernel cannot end (it waits for a dead disk) is left to its keeper after a while.
static void begin_to_end(void) {
  if (deadline != 0) return;
  deadline = grid_guard_now() + nanoseconds_to_end;
  epoll_ctl(events, EPOLL_CTL_DEL, node_socket, NULL);
  if (node_process >= 0) epoll_ctl(events, EPOLL_CTL_DEL, node_process, NULL);
  const struct grid_guard_request kill_all = {.kind = GRID_GUARD_SIGNAL, .signal = SIGKILL};
  for (int index = 0; index < child_count; index++) pass_on(&children[index], &kill_all);
}

static void handle(const struct epoll_event *event) {
  struct signalfd_siginfo ignored[16];
  switch (event->data.u32) {
  case NODE_PROCESS: return begin_to_end();
  case NODE_SOCKET:
    if (deadline == 0 && !serve_request()) begin_to_end();
    return;
  case CHILD_SIGNALS:
    while (read(child_signals, ignored, sizeof ignored) > 0) continue;
    return;
  default:
    for (struct child *child = find_by_identifier(event->data.u32); child != NULL; child = NULL) hear(child);
  }
}

// Serves until the node is gone, and everything below the guard with it.
static void serve(void) {
  static struct epoll_event ready[64];
  for (;;) {
    bool something_is_left = reap();
    bool has_strays = end_strays();
    if (deadline != 0 && (!something_is_left || grid_guard_now() >= deadline)) return;
    int count = epoll_wait(events, ready, 64, has_strays || deadline != 0 ? milliseconds_between_kills : -1);
    for (int index = 0; index < count; index++) handle(&ready[index]);
  }
}

// Takes the two descriptors that the guard keeps out of the way of the standard ones, and lets go of all others.
static void keep_only(int guard_socket, int lifeline) {
  node_socket = fcntl(guard_socket, F_DUPFD_CLOEXEC, 3);
  held_lifeline = fcntl(lifeline, F_DUPFD_CLOEXEC, 3);
  const int kept[] = {node_socket, held_lifeline};
  grid_guard_close_all_but(kept, 2);
  grid_guard_let_go_of_standard();
}

_Noreturn void grid_guard_main(int guard_socket, int lifeline, pid_t node, const struct grid_run_limit *limit) {
  setsid();
  // Every signal is blocked for the guard's whole life, so Ctrl-C or a polite kill never ends the children before the
  // node decides; dispositions are the default ones, which the children inherit.
  grid_guard_reset_signals();
  keep_only(guard_socket, lifeline);
  grid_guard_rename("gridctl-guard");
  // What a killed keeper leaves comes to the guard: it is reaped, and found when the node ends.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  run_limit = limit;
  node_process = grid_guard_watch(node);
  own_process = grid_guard_watch(getpid());
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  child_signals = signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK);
  events = epoll_create1(EPOLL_CLOEXEC);
  if (child_signals < 0 || events < 0 || node_socket < 0) _exit(1);
  if (wait_for(node_socket, NODE_SOCKET) != 0 || wait_for(child_signals, CHILD_SIGNALS) != 0) _exit(1);
  if (node_process >= 0) wait_for(node_process, NODE_PROCESS);
  // The node may be gone already, and its number somebody else's.
  if (getppid() != node) _exit(1);
  serve();
  _exit(0);
}
