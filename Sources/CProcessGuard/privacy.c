// What keeps the memory of a process that knows secrets from others.

#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "guard.h"

// What the limit of core files was. Every fork has a copy of it.
static struct rlimit core_before;
static bool is_withheld;

int grid_process_withhold(void) {
  if (is_withheld) return 0;
  if (getrlimit(RLIMIT_CORE, &core_before) < 0) return errno;
  // The hard limit stays, so that programs can have back what they had.
  const struct rlimit none = {.rlim_cur = 0, .rlim_max = core_before.rlim_max};
  if (setrlimit(RLIMIT_CORE, &none) < 0) return errno;
  // Also where the kernel hands core files to a program, which no limit keeps it from.
  if (prctl(PR_SET_DUMPABLE, 0) < 0) return errno;
  is_withheld = true;
  return 0;
}

void grid_process_release_core(void) {
  if (is_withheld) setrlimit(RLIMIT_CORE, &core_before);
}
