// A program on the terminal of its parent: async-signal-safe calls only between fork and exec.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard.h"

struct attached_launch {
  char *const *arguments;
  char *const *environment;
  const struct grid_attachment *attachment;
  // The group of the parent.
  pid_t group;
};

static void become(const void *told, int status_pipe) {
  const struct attached_launch *launch = told;
  const struct grid_attachment *attachment = launch->attachment;
  setpgid(0, attachment->own_group ? 0 : launch->group);
  // Every signal is blocked still, so taking the terminal does not stop this process.
  if (attachment->foreground) tcsetpgrp(0, getpid());
  if (attachment->input >= 0 && dup2(attachment->input, 0) < 0)
    grid_guard_fail(status_pipe, GRID_GUARD_STEP_DESCRIPTORS, errno);
  if (attachment->output >= 0 && dup2(attachment->output, 1) < 0)
    grid_guard_fail(status_pipe, GRID_GUARD_STEP_DESCRIPTORS, errno);
  grid_guard_close_all_but(&status_pipe, 1);
  grid_process_release_core();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execvpe(launch->arguments[0], launch->arguments, launch->environment);
  grid_guard_fail(status_pipe, GRID_GUARD_STEP_EXECUTE, errno);
}

// A descriptor of the same thing that is no standard one: those are the program's.
static int above_standard(int descriptor) {
  return descriptor < 0 || descriptor > 2 ? descriptor : fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
}

// The keeper's life. For a program with a group of its own it is in another one of the terminal's session, so that the
// kernel knows the program's group as one that somebody waits for, and lets keys stop it. Where the program shares the
// parent's group it does so, too: otherwise Ctrl-Z would stop a parent that nobody can let go on, as the only program
// of a terminal is. What the terminal sends it is blocked.
_Noreturn static void keep(const struct attached_launch *launch, int owner, int parent) {
  const struct grid_attachment *attachment = launch->attachment;
  // Under nohup the program is to survive the end of the terminal, too.
  bool survives_hangup = grid_termination_is_ignored(SIGHUP);
  grid_guard_reset_signals();
  if (survives_hangup) grid_termination_ignore(SIGHUP);
  if (attachment->own_group) setpgid(0, 0);
  owner = above_standard(owner);
  parent = above_standard(parent);
  struct grid_keeper keeper = {
      .owner = owner,
      .lives = {parent, -1},
      .lifeline = -1,
      .limit = attachment->limit,
      .limit_number = attachment->limit == NULL ? 0 : grid_run_limit_number(attachment->limit),
      .own_group = attachment->own_group,
      .reports_stops = attachment->own_group,
      .leaves_descendants = attachment->leaves_descendants,
      .become = become,
      .launch = launch,
  };
  grid_keeper_main(&keeper);
}

int grid_attached_start(char *const arguments[], char *const environment[], const struct grid_attachment *attachment,
                        int *keeper_socket, pid_t *keeper) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return errno;
  const struct attached_launch launch = {arguments, environment, attachment, getpgrp()};
  int parent = grid_guard_watch(getpid());
  // No handler of this process may run in the child: signals stay blocked until it has set its own dispositions.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t child = grid_guard_fork();
  if (child == 0) keep(&launch, ends[1], parent);
  int error = child < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (parent >= 0) close(parent);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    return error;
  }
  *keeper_socket = ends[0];
  *keeper = child;
  return 0;
}

int grid_attached_receive(int keeper_socket, struct grid_guard_event *event) {
  for (;;) {
    ssize_t count = recv(keeper_socket, event, sizeof *event, 0);
    if (count == (ssize_t)sizeof *event) return 1;
    if (count < 0 && errno == EINTR) continue;
    return count < 0 ? -errno : 0;
  }
}
