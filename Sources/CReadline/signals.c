#define _GNU_SOURCE
#include "CReadline.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static const int routed[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGQUIT};
enum { ROUTED = sizeof routed / sizeof routed[0] };

static struct sigaction before[ROUTED];
static atomic_int pipe_in = -1;
static int pipe_out = -1;

static void put(unsigned char byte) {
  int descriptor = atomic_load(&pipe_in);
  if (descriptor < 0) return;
  int saved = errno;
  // A full pipe wakes its reader all the same.
  ssize_t count = write(descriptor, &byte, 1);
  (void)count;
  errno = saved;
}

static void route(int number) { put((unsigned char)number); }

int grid_signals_open(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  pipe_out = ends[0];
  atomic_store(&pipe_in, ends[1]);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = route;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (int index = 0; index < ROUTED; index++) sigaction(routed[index], &action, &before[index]);
  return pipe_out;
}

void grid_signals_stop(void) {
  struct sigaction standard = {.sa_handler = SIG_DFL}, now;
  sigset_t stop, blocked;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  sigaction(SIGTSTP, &standard, &now);
  pthread_sigmask(SIG_UNBLOCK, &stop, &blocked);
  raise(SIGTSTP);
  pthread_sigmask(SIG_SETMASK, &blocked, NULL);
  sigaction(SIGTSTP, &now, NULL);
}

void grid_signals_wake(void) { put(0); }

void grid_signals_close(void) {
  int descriptor = atomic_exchange(&pipe_in, -1);
  if (descriptor < 0) return;
  for (int index = 0; index < ROUTED; index++) sigaction(routed[index], &before[index], NULL);
  close(descriptor);
  close(pipe_out);
  pipe_out = -1;
}
