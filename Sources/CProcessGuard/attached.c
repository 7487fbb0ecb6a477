// A child on the terminal of its parent: async-signal-safe calls only between fork and exec.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard.h"

// `parent` is the process to die with, or 0.
_Noreturn static void become(char *const arguments[], char *const environment[], bool own_group, pid_t parent,
                             int input, int output, int status_pipe) {
  struct sigaction standard = {.sa_handler = SIG_DFL};
  // Under nohup the program is to survive the end of the terminal, too.
  bool survives_hangup = grid_termination_is_ignored(SIGHUP);
  for (int number = 1; number < NSIG; number++) {
    if (number != SIGHUP || !survives_hangup) sigaction(number, &standard, NULL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (own_group) setpgid(0, 0);
  // The copies are kept by the program; the originals are closed by exec.
  if (input >= 0 && dup2(input, 0) < 0) _exit(127);
  if (output >= 0 && dup2(output, 1) < 0) _exit(127);
  if (parent != 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before the line above.
  if (parent == 0 || getppid() == parent) {
    execvpe(arguments[0], arguments, environment);
    int error = errno;
    if (write(status_pipe, &error, sizeof error) < 0) _exit(126);
  }
  _exit(127);
}

int grid_attached_start(char *const arguments[], char *const environment[], bool own_group, bool dies_with_thread,
                        int input, int output, pid_t *process) {
  int ends[2];
  int error = grid_guard_make_pipe(&ends[0], &ends[1]);
  if (error != 0) return error;
  pid_t parent = dies_with_thread ? getpid() : 0;
  // No handler of this process may run in the child: signals stay blocked until it has set its own dispositions.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t child = grid_guard_fork();
  if (child == 0) become(arguments, environment, own_group, parent, input, output, ends[1]);
  error = child < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(ends[1]);
  if (child > 0) {
    // Both sides set it, so that it is set whichever runs first.
    if (own_group) setpgid(child, child);
    ssize_t count;
    do count = read(ends[0], &error, sizeof error);
    while (count < 0 && errno == EINTR);
    if (count <= 0) error = 0;
    if (error != 0) waitpid(child, NULL, 0);
  }
  close(ends[0]);
  *process = child;
  return error;
}
