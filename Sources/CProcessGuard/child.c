// The life of a child between fork and exec: async-signal-safe calls only, like the guard.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "guard.h"

struct cursor {
  char *next;
  char *end;
};

struct program {
  struct grid_guard_payload header;
  const struct grid_guard_limit *limits;
  const uint32_t *groups;
  const char *cgroup;
  char **arguments;
  char **environment;
  const char *directory;
  struct cursor candidates;
  uint32_t candidate_count;
};

static int pipe_to_keeper;

_Noreturn void grid_guard_fail(int status_pipe, uint32_t step, int error) {
  struct grid_guard_failure failure = {.step = step, .error = error};
  // An empty pipe takes this in one piece; when it cannot be told, the exit code still says that nothing ran.
  ssize_t written = write(status_pipe, &failure, sizeof failure);
  _exit(written < 0 ? 126 : 127);
}

_Noreturn static void fail(uint32_t step, int error) { grid_guard_fail(pipe_to_keeper, step, error); }

static char *next_string(struct cursor *cursor) {
  char *string = cursor->next;
  char *end = string < cursor->end ? memchr(string, 0, (size_t)(cursor->end - string)) : NULL;
  if (end == NULL) fail(GRID_GUARD_STEP_PAYLOAD, EINVAL);
  cursor->next = end + 1;
  return string;
}

static const void *next_bytes(struct cursor *cursor, size_t count) {
  const char *bytes = cursor->next;
  if (count > (size_t)(cursor->end - bytes)) fail(GRID_GUARD_STEP_PAYLOAD, EINVAL);
  cursor->next += count;
  return bytes;
}

static void read_strings(struct cursor *cursor, char **strings, uint32_t count) {
  for (uint32_t index = 0; index < count; index++) strings[index] = next_string(cursor);
  strings[count] = NULL;
}

static struct program read_payload(int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) < 0) fail(GRID_GUARD_STEP_PAYLOAD, errno);
  size_t size = (size_t)status.st_size;
  struct grid_guard_payload header;
  if (size < sizeof header || size > GRID_GUARD_MAXIMUM_PAYLOAD) fail(GRID_GUARD_STEP_PAYLOAD, EINVAL);
  char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
  if (bytes == MAP_FAILED) fail(GRID_GUARD_STEP_PAYLOAD, errno);
  memcpy(&header, bytes, sizeof header);
  // Everything takes a byte at least, so sane counts are smaller than the payload.
  if (header.arguments == 0 || header.arguments > size || header.environment > size || header.limits > size ||
      header.groups > size)
    fail(GRID_GUARD_STEP_PAYLOAD, EINVAL);
  // One place in front of the arguments is for the shell that runs a script without an interpreter line.
  size_t pointers = (size_t)header.arguments + header.environment + 3;
  char **strings =
      mmap(NULL, pointers * sizeof(char *), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (strings == MAP_FAILED) fail(GRID_GUARD_STEP_PAYLOAD, errno);
  struct cursor cursor = {bytes + sizeof header, bytes + size};
  struct program program = {
      .header = header,
      .limits = next_bytes(&cursor, header.limits * sizeof(struct grid_guard_limit)),
      .groups = next_bytes(&cursor, header.groups * sizeof(uint32_t)),
      .cgroup = header.cgroups > 0 ? next_string(&cursor) : NULL,
      .arguments = strings + 1,
      .environment = strings + header.arguments + 2,
      .directory = header.directories > 0 ? next_string(&cursor) : NULL,
      .candidate_count = header.candidates,
  };
  read_strings(&cursor, program.arguments, header.arguments);
  read_strings(&cursor, program.environment, header.environment);
  program.candidates = cursor;
  return program;
}

// As execvp() does for a script without an interpreter line.
static void execute_by_shell(const struct program *program, char *path) {
  char **arguments = program->arguments - 1;
  char *name = arguments[1];
  arguments[0] = "/bin/sh";
  arguments[1] = path;
  execve(arguments[0], arguments, program->environment);
  arguments[1] = name;
}

static int is_worth_another_path(int error) {
  switch (error) {
  case ENOENT:
  case ENOTDIR:
  case EACCES:
  case ESTALE:
  case ENODEV:
  case ETIMEDOUT:
    return 1;
  default:
    return 0;
  }
}

_Noreturn static void execute(struct program *program) {
  int denied = 0, without_interpreter = 0;
  for (uint32_t index = 0; index < program->candidate_count; index++) {
    char *path = next_string(&program->candidates);
    execve(path, program->arguments, program->environment);
    if (errno == ENOEXEC) execute_by_shell(program, path);
    int error = errno;
    if (!is_worth_another_path(error)) fail(GRID_GUARD_STEP_EXECUTE, error);
    if (error == EACCES) denied = 1;
    if (error == ENOENT && access(path, F_OK) == 0) without_interpreter = 1;
  }
  if (denied) fail(GRID_GUARD_STEP_EXECUTE, EACCES);
  fail(without_interpreter ? GRID_GUARD_STEP_INTERPRETER : GRID_GUARD_STEP_EXECUTE, ENOENT);
}

// What the kernel says of a file system of control groups, version 2.
static const long cgroup_magic = 0x63677270;

// Nothing but a control group is written to, whatever the path names.
static void join_cgroup(const char *path) {
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) fail(GRID_GUARD_STEP_CGROUP, errno);
  struct statfs system;
  if (fstatfs(directory, &system) < 0) fail(GRID_GUARD_STEP_CGROUP, errno);
  if ((long)system.f_type != cgroup_magic) fail(GRID_GUARD_STEP_CGROUP, EMEDIUMTYPE);
  int members = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (members < 0 || write(members, "0", 1) < 0) fail(GRID_GUARD_STEP_CGROUP, errno);
  close(members);
  close(directory);
}

static void set_limits(const struct program *program) {
  for (uint32_t index = 0; index < program->header.limits; index++) {
    const struct grid_guard_limit *limit = &program->limits[index];
    const struct rlimit value = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
    if (setrlimit(limit->resource, &value) < 0) fail(GRID_GUARD_STEP_LIMIT + index, errno);
  }
}

// By system call: those of the library want to tell threads, of which this copy of the node has none.
static void change_user(const struct program *program, pid_t keeper) {
  const struct grid_guard_payload *header = &program->header;
  if (syscall(SYS_setgroups, (size_t)header->groups, program->groups) < 0 ||
      syscall(SYS_setresgid, header->group, header->group, header->group) < 0 ||
      syscall(SYS_setresuid, header->user, header->user, header->user) < 0)
    fail(GRID_GUARD_STEP_USER, errno);
  // The change took this away; the keeper may have ended meanwhile.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != keeper) _exit(127);
}

void grid_guard_become(const void *told, int status_pipe) {
  const struct grid_guard_launch *launch = told;
  pipe_to_keeper = status_pipe;
  pid_t keeper = getppid();
  setsid();
  for (int index = 0; index < 3; index++)
    if (dup2(launch->standard[index], index) < 0) fail(GRID_GUARD_STEP_DESCRIPTORS, errno);
  // All that a keeper has is close-on-exec already; the rest is not needed until then.
  const int needed[] = {launch->payload, status_pipe};
  grid_guard_close_all_but(needed, 2);
  struct program program = read_payload(launch->payload);
  grid_process_release_core();
  // With the node's rights, which the new user may lack; the directory must be one that the new user may enter.
  if (program.cgroup != NULL) join_cgroup(program.cgroup);
  set_limits(&program);
  if (program.header.has_user != 0) change_user(&program, keeper);
  if (program.directory != NULL && chdir(program.directory) < 0) fail(GRID_GUARD_STEP_DIRECTORY, errno);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execute(&program);
}
