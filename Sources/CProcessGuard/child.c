// The life of a child between fork and exec: async-signal-safe calls only, like the guard.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard.h"

struct cursor {
  char *next;
  char *end;
};

struct program {
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
  // Every string takes a byte at least, so sane counts are smaller than the payload.
  if (header.arguments == 0 || header.arguments > size || header.environment > size)
    fail(GRID_GUARD_STEP_PAYLOAD, EINVAL);
  // One place in front of the arguments is for the shell that runs a script without an interpreter line.
  size_t pointers = (size_t)header.arguments + header.environment + 3;
  char **strings =
      mmap(NULL, pointers * sizeof(char *), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (strings == MAP_FAILED) fail(GRID_GUARD_STEP_PAYLOAD, errno);
  struct cursor cursor = {bytes + sizeof header, bytes + size};
  struct program program = {
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

void grid_guard_become(const void *told, int status_pipe) {
  const struct grid_guard_launch *launch = told;
  pipe_to_keeper = status_pipe;
  setsid();
  for (int index = 0; index < 3; index++)
    if (dup2(launch->standard[index], index) < 0) fail(GRID_GUARD_STEP_DESCRIPTORS, errno);
  // All that a keeper has is close-on-exec already; the rest is not needed until then.
  const int needed[] = {launch->payload, status_pipe};
  grid_guard_close_all_but(needed, 2);
  struct program program = read_payload(launch->payload);
  if (program.directory != NULL && chdir(program.directory) < 0) fail(GRID_GUARD_STEP_DIRECTORY, errno);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execute(&program);
}
