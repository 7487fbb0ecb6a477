// Signals that ask this process to end, as bytes in a pipe: async-signal-safe calls only in the handler.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "guard.h"

static struct sigaction before[NSIG];
static bool is_taken[NSIG];
// Never closed once it is there: a handler may be writing to it on any thread.
static atomic_int pipe_in = -1;

static void route(int number) {
  int saved = errno;
  unsigned char byte = (unsigned char)number;
  // A full pipe has more signals in it than anybody waits for.
  ssize_t count = write(atomic_load(&pipe_in), &byte, 1);
  (void)count;
  errno = saved;
}

int grid_termination_open(int *read_end) {
  int write_end;
  int error = grid_guard_make_pipe(read_end, &write_end);
  if (error != 0) return error;
  // A handler never waits.
  fcntl(write_end, F_SETFL, O_NONBLOCK);
  atomic_store(&pipe_in, write_end);
  return 0;
}

void grid_termination_take(int number) {
  if (number < 1 || number >= NSIG || is_taken[number]) return;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = route;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  is_taken[number] = sigaction(number, &action, &before[number]) == 0;
}

void grid_termination_give_back(void) {
  for (int number = 1; number < NSIG; number++) {
    if (is_taken[number]) sigaction(number, &before[number], NULL);
    is_taken[number] = false;
  }
}

bool grid_termination_is_ignored(int number) {
  struct sigaction now;
  return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

void grid_termination_ignore(int number) {
  struct sigaction action = {.sa_handler = SIG_IGN};
  sigaction(number, &action, NULL);
}
