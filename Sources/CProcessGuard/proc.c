// What the guard and the keepers ask of the kernel about processes and descriptors, without allocation.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard.h"

// The number at `text`, and past it.
static unsigned long parse_number(const char **text, const char *end) {
  unsigned long number = 0;
  while (*text < end && **text >= '0' && **text <= '9') number = number * 10 + (unsigned long)(*(*text)++ - '0');
  return number;
}

// Field `wanted` (counted from 1, as in proc(5)) of a line of /proc/PID/stat; 3 is the first after the name.
static unsigned long stat_field(const char *line, size_t length, int wanted) {
  const char *end = line + length;
  const char *next = memrchr(line, ')', length);
  if (next == NULL) return 0;
  for (int field = 2; next < end; next++) {
    if (*next != ' ') continue;
    if (++field < wanted) continue;
    next++;
    return parse_number(&next, end);
  }
  return 0;
}

void grid_guard_rename(const char *name) {
  static char line[2048];
  prctl(PR_SET_NAME, name);
  int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t length = read(file, line, sizeof line);
  close(file);
  if (length <= 0) return;
  unsigned long start = stat_field(line, (size_t)length, 48);
  unsigned long end = stat_field(line, (size_t)length, 49);
  if (start == 0 || end <= start) return;
  size_t room = end - start;
  size_t size = strlen(name) + 1;
  memset((void *)start, 0, room);
  memcpy((void *)start, name, room < size ? room - 1 : size);
}

static void kill_one(pid_t process, bool (*is_spared)(pid_t process), struct grid_guard_tally *tally) {
  if (process <= 0 || (is_spared != NULL && is_spared(process))) return;
  if (kill(process, SIGKILL) == 0) tally->signalled++;
  else if (errno == EPERM) tally->denied++;
}

struct grid_guard_tally grid_guard_kill_children(bool (*is_spared)(pid_t process)) {
  static char text[4096];
  struct grid_guard_tally tally = {0, 0};
  int file = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    // Without the list there is nobody to find; that counts as being refused.
    tally.denied = 1;
    return tally;
  }
  pid_t process = 0;
  ssize_t length;
  while ((length = read(file, text, sizeof text)) > 0) {
    for (ssize_t index = 0; index < length; index++) {
      if (text[index] >= '0' && text[index] <= '9') {
        process = process * 10 + (text[index] - '0');
      } else {
        kill_one(process, is_spared, &tally);
        process = 0;
      }
    }
  }
  kill_one(process, is_spared, &tally);
  close(file);
  return tally;
}

int grid_guard_watch(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

static void close_range_of(unsigned int first, unsigned int last) {
  if (first > last || syscall(SYS_close_range, first, last, 0) == 0) return;
  struct rlimit limit = {0};
  getrlimit(RLIMIT_NOFILE, &limit);
  for (rlim_t descriptor = first; descriptor < limit.rlim_cur && descriptor <= last; descriptor++)
    close((int)descriptor);
}

void grid_guard_close_all_but(const int *kept, int count) {
  unsigned int first = 3;
  for (;;) {
    int next = -1;
    for (int index = 0; index < count; index++)
      if (kept[index] >= (int)first && (next < 0 || kept[index] < next)) next = kept[index];
    if (next < 0) return close_range_of(first, ~0u);
    if (next > (int)first) close_range_of(first, (unsigned int)next - 1);
    first = (unsigned int)next + 1;
  }
}

void grid_guard_let_go_of_standard(void) {
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  // The places must be taken, or a child's pipe would land there.
  for (int descriptor = 0; descriptor < 3 && nothing >= 0; descriptor++)
    if (descriptor != nothing) dup2(nothing, descriptor);
  if (nothing > 2) close(nothing);
}

void grid_guard_reset_signals(void) {
  // A kernel sigaction of zeros is SIG_DFL on every architecture. The C library's own function leaves out the two
  // signals it uses itself, which may have been ignored since before the node.
  static const unsigned long by_default[8];
  for (int number = 1; number < NSIG; number++) syscall(SYS_rt_sigaction, number, by_default, NULL, NSIG / 8);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
}
