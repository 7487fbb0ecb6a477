// Until when programs may run: a page that the process which renews a lease shares with the keepers of its programs.

#define _GNU_SOURCE
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "guard.h"

struct grid_run_limit {
  _Atomic uint32_t number;
  _Atomic int64_t until;
  _Atomic int64_t notice;
};

struct grid_run_limit *grid_run_limit_make(void) {
  struct grid_run_limit *limit =
      mmap(NULL, sizeof *limit, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (limit == MAP_FAILED) return NULL;
  atomic_store(&limit->number, 1);
  atomic_store(&limit->until, INT64_MIN);
  return limit;
}

void grid_run_limit_free(struct grid_run_limit *limit) { munmap(limit, sizeof *limit); }

uint32_t grid_run_limit_number(const struct grid_run_limit *limit) { return atomic_load(&limit->number); }

void grid_run_limit_extend(struct grid_run_limit *limit, int64_t until, int64_t notice) {
  atomic_store(&limit->notice, notice);
  atomic_store(&limit->until, until);
}

void grid_run_limit_end(struct grid_run_limit *limit) {
  atomic_store(&limit->until, INT64_MIN);
  // 0 means no limit.
  if (atomic_fetch_add(&limit->number, 1) == UINT32_MAX) atomic_store(&limit->number, 1);
}

int64_t grid_guard_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

enum grid_run_phase grid_run_limit_phase(const struct grid_run_limit *limit, uint32_t number, int64_t *next) {
  int64_t until = atomic_load(&limit->until);
  int64_t notice = atomic_load(&limit->notice);
  // Read last: where the limit was ended and another one began meanwhile, `until` is not ours.
  if (atomic_load(&limit->number) != number) return GRID_RUN_OVER;
  int64_t now = grid_guard_now();
  if (now >= until) return GRID_RUN_OVER;
  int64_t warning = until - notice;
  *next = now < warning ? warning : until;
  return now < warning ? GRID_RUN_FREE : GRID_RUN_NOTICED;
}
