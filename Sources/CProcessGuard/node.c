// The part of the guard that runs in the node: starting it and talking to it.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define GRID_SANITIZED 1
#endif
#endif

pid_t grid_guard_fork(void) {
#ifdef GRID_SANITIZED
  // The sanitizers put their own locks in order around fork(), and only there.
  return fork();
#else
  return _Fork();
#endif
}

int grid_guard_start(const struct grid_run_limit *limit, int *node_socket, int *lifeline, pid_t *process) {
  int ends[2], line[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return errno;
  if (pipe2(line, O_CLOEXEC) < 0) {
    int failure = errno;
    close(ends[0]);
    close(ends[1]);
    return failure;
  }
  pid_t node = getpid();
  // No handler of the node may run in the guard: signals stay blocked until the guard has set its own dispositions.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t forked = grid_guard_fork();
  if (forked == 0) grid_guard_main(ends[1], line[1], node, limit);
  int failure = forked < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(ends[1]);
  close(line[1]);
  if (failure != 0) {
    close(ends[0]);
    close(line[0]);
    return failure;
  }
  *node_socket = ends[0];
  *lifeline = line[0];
  *process = forked;
  return 0;
}

int grid_guard_send(int node_socket, const struct grid_guard_request *request, const int *descriptors,
                    size_t descriptor_count) {
  union {
    char bytes[CMSG_SPACE(4 * sizeof(int))];
    struct cmsghdr alignment;
  } control;
  struct iovec content = {.iov_base = (void *)request, .iov_len = sizeof *request};
  struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1};
  if (descriptor_count > 4) return EINVAL;
  if (descriptor_count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(descriptor_count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptor_count * sizeof(int));
    memcpy(CMSG_DATA(header), descriptors, descriptor_count * sizeof(int));
  }
  for (;;) {
    if (sendmsg(node_socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return 0;
    if (errno != EINTR) return errno;
  }
}

int grid_guard_receive(int node_socket, struct grid_guard_event *event) {
  for (;;) {
    ssize_t count = recv(node_socket, event, sizeof *event, MSG_DONTWAIT);
    if (count == (ssize_t)sizeof *event) return 1;
    if (count > 0) return -EPROTO;
    if (count == 0) return 0;
    if (errno == ECONNRESET) return 0;
    if (errno != EINTR) return -errno;
  }
}

int grid_guard_make_payload(const void *bytes, size_t count) {
  int descriptor = memfd_create("gridctl-command", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
  // Kernels before 6.3 do not know the second flag.
  if (descriptor < 0 && errno == EINVAL) descriptor = memfd_create("gridctl-command", MFD_CLOEXEC);
  if (descriptor < 0) return -errno;
  const char *next = bytes;
  while (count > 0) {
    ssize_t written = write(descriptor, next, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      int failure = written < 0 ? errno : EIO;
      close(descriptor);
      return -failure;
    }
    next += written;
    count -= (size_t)written;
  }
  return descriptor;
}

int grid_guard_make_pipe(int *read_end, int *write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return errno;
  *read_end = ends[0];
  *write_end = ends[1];
  return 0;
}

int grid_guard_make_wakeup(void) {
  int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return descriptor < 0 ? -errno : descriptor;
}

void grid_guard_name_thread(const char *name) { prctl(PR_SET_NAME, name); }
