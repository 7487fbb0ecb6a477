// The keeper of one program: everything that descends from the program is handed to it by the kernel sooner or later,
// and nothing of that outlives the keeper. Async-signal-safe calls on static memory only, like the guard.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard.h"

// No name that somebody looks for who kills nodes (`pkill gridctl`).
static const char keeper_name[] = "grid-keeper";

// Where the program is in its life. One that failed to start only waits to be reaped.
enum program_phase { STARTING, RUNNING, FAILED_TO_START };

static struct {
  const struct grid_keeper *told;
  pid_t program;
  enum program_phase phase;
  int status_pipe;
  int child_signals;
  int timer;
  bool is_gone;
  int status;
  // Set once everything is to be killed.
  bool is_ending;
  bool was_noticed;
  // Until when what an interrupted shell has left may clean up; 0 while there is no such thing.
  int64_t rest_until;
} life;

// How long that may take.
static const int64_t rest_grace = 2000000000;

static void tell(uint32_t kind, int32_t status, uint32_t step) {
  struct grid_guard_event event = {
      .kind = kind, .identifier = life.told->identifier, .process = life.program, .status = status, .step = step};
  // So few of them fit into the socket whatever the other side does.
  while (send(life.told->owner, &event, sizeof event, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

// The program is reaped by nobody but this process, so its number cannot be anybody else's until then.
static void signal_program(int number) {
  if (life.is_gone) return;
  if (life.told->own_group && kill(-life.program, number) == 0) return;
  kill(life.program, number);
}

// Looks whether a starting child became its program: the status pipe closes at exec, or holds what failed.
static void settle_start(void) {
  struct grid_guard_failure failure;
  ssize_t count = read(life.status_pipe, &failure, sizeof failure);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  close(life.status_pipe);
  life.status_pipe = -1;
  if (count == (ssize_t)sizeof failure) {
    life.phase = FAILED_TO_START;
    return tell(GRID_GUARD_FAILED, failure.error, failure.step);
  }
  life.phase = RUNNING;
  tell(GRID_GUARD_STARTED, 0, 0);
}

// Reaps all that ended. Returns whether anything is left below this process.
static bool reap(void) {
  for (;;) {
    siginfo_t ended = {0};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) < 0) return errno != ECHILD;
    if (ended.si_pid == 0) return true;
    bool is_program = ended.si_pid == life.program && !life.is_gone;
    if (is_program) {
      if (life.phase == STARTING) settle_start();
      // Before reaping: as long as the dead leader holds the number, no other group can have it.
      if (life.told->own_group && !life.told->leaves_descendants) kill(-life.program, SIGKILL);
    }
    int status = 0;
    waitpid(ended.si_pid, &status, 0);
    if (is_program) {
      life.is_gone = true;
      life.status = status;
    }
  }
}

static void report_stop(void) {
  siginfo_t stopped = {0};
  if (life.is_gone || waitid(P_PID, (id_t)life.program, &stopped, WSTOPPED | WNOHANG) < 0) return;
  if (stopped.si_pid == 0) return;
  int number = stopped.si_status;
  if (number == SIGTSTP || number == SIGTTIN || number == SIGTTOU) tell(GRID_GUARD_STOPPED, number, 0);
}

static void serve_owner(void) {
  for (;;) {
    struct grid_guard_request request;
    ssize_t count = recv(life.told->owner, &request, sizeof request, MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      life.is_ending = true;
      return;
    }
    if (count != (ssize_t)sizeof request || request.kind != GRID_GUARD_SIGNAL) continue;
    if (request.signal == SIGKILL) life.is_ending = true;
    else signal_program(request.signal);
  }
}

static void obey_limit(void) {
  int64_t next = 0;
  switch (grid_run_limit_phase(life.told->limit, life.told->limit_number, &next)) {
  case GRID_RUN_OVER:
    life.is_ending = true;
    return;
  case GRID_RUN_NOTICED:
    if (!life.was_noticed) {
      signal_program(SIGTERM);
      // A stopped program acts on it only when it goes on.
      signal_program(SIGCONT);
    }
    life.was_noticed = true;
    break;
  case GRID_RUN_FREE: life.was_noticed = false;
  }
  struct itimerspec when = {.it_value = {.tv_sec = next / 1000000000, .tv_nsec = next % 1000000000}};
  timerfd_settime(life.timer, TFD_TIMER_ABSTIME, &when, NULL);
}

// Whether somebody ended the program, with a key or a signal. A shell is gone by that at once, also when what it runs
// cleans up first, or pays no heed.
static bool was_interrupted(void) {
  if (!life.is_gone || !WIFSIGNALED(life.status)) return false;
  int number = WTERMSIG(life.status);
  return number == SIGINT || number == SIGQUIT || number == SIGTERM || number == SIGHUP;
}

// Whether what the program has left may go on: for good after a shell that ended by itself, for a while after one that
// was interrupted.
static bool rest_may_go_on(void) {
  if (!life.told->leaves_descendants || life.is_ending) return false;
  if (!was_interrupted()) return true;
  if (life.rest_until == 0) life.rest_until = grid_guard_now() + rest_grace;
  return grid_guard_now() < life.rest_until;
}

// Kills what is left; what that leaves orphaned is found the next time. Returns whether it is of use to go on.
static bool kill_everything(void) {
  signal_program(SIGKILL);
  struct grid_guard_tally tally = grid_guard_kill_children(NULL);
  // The program itself is waited for, whatever it takes. What else is left and changed its user is beyond this
  // process, and ends when it likes.
  return !life.is_gone || tally.signalled > 0 || tally.denied == 0;
}

_Noreturn static void finish(void) {
  if (life.phase == RUNNING) tell(GRID_GUARD_EXITED, life.status, 0);
  _exit(0);
}

static void drain(int descriptor) {
  struct signalfd_siginfo ignored[4];
  while (read(descriptor, ignored, sizeof ignored) > 0) continue;
}

static void keep(void) {
  int pause = 5;
  for (;;) {
    bool something_is_left = reap();
    bool rest_goes_on = life.is_gone && rest_may_go_on();
    if (life.is_gone && (!something_is_left || (rest_goes_on && !was_interrupted()))) finish();
    if (life.is_gone && !rest_goes_on) life.is_ending = true;
    if (life.is_ending && !kill_everything()) finish();
    bool waits = !life.is_ending;
    struct pollfd descriptors[] = {
        {life.child_signals, POLLIN, 0},
        {life.status_pipe, POLLIN, 0},
        {waits ? life.told->owner : -1, POLLIN, 0},
        {waits ? life.told->lives[0] : -1, POLLIN, 0},
        {waits ? life.told->lives[1] : -1, POLLIN, 0},
        {waits ? life.timer : -1, POLLIN, 0},
    };
    int patience = !waits ? pause : life.is_gone ? (int)((life.rest_until - grid_guard_now()) / 1000000) + 1 : -1;
    int ready = poll(descriptors, sizeof descriptors / sizeof descriptors[0], patience);
    if (ready < 0) continue;
    // Nothing ended by the last round: a process of another machine's disk may take its time.
    pause = ready > 0 ? 5 : pause < 500 ? pause * 2 : pause;
    if (life.phase == STARTING) settle_start();
    if (descriptors[0].revents != 0) {
      drain(life.child_signals);
      if (life.told->reports_stops) report_stop();
    }
    if (descriptors[2].revents != 0) serve_owner();
    if (descriptors[3].revents != 0 || descriptors[4].revents != 0) life.is_ending = true;
    if (descriptors[5].revents != 0) drain(life.timer);
    if (waits && life.told->limit_number != 0) obey_limit();
  }
}

// Makes what the keeper waits for. Returns 0 or an errno.
static int prepare(int status_pipe[2]) {
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  life.child_signals = signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK);
  if (life.child_signals < 0) return errno;
  life.timer = -1;
  if (life.told->limit_number != 0) {
    life.timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (life.timer < 0) return errno;
  }
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return errno;
  return pipe2(status_pipe, O_CLOEXEC | O_NONBLOCK) < 0 ? errno : 0;
}

_Noreturn static void give_up(int error) {
  tell(GRID_GUARD_FAILED, error, GRID_GUARD_STEP_FORK);
  _exit(1);
}

_Noreturn void grid_keeper_main(const struct grid_keeper *keeper) {
  grid_guard_rename(keeper_name);
  life.told = keeper;
  life.program = 0;
  life.is_gone = life.is_ending = life.was_noticed = false;
  life.rest_until = 0;
  life.phase = STARTING;
  int status_pipe[2];
  int error = prepare(status_pipe);
  if (error != 0) give_up(error);
  pid_t self = getpid();
  pid_t program = grid_guard_fork();
  if (program == 0) {
    // The keeper has one thread, so the death of that is its own.
    if (!keeper->leaves_descendants) prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != self) _exit(127);
    keeper->become(keeper->launch, status_pipe[1]);
    _exit(127);
  }
  if (program < 0) give_up(errno);
  life.program = program;
  life.status_pipe = status_pipe[0];
  // Whatever else is open here, the program's own pipes before all, must not stay open for it.
  int kept[] = {keeper->owner, keeper->lives[0], keeper->lives[1], keeper->lifeline,
                life.child_signals, life.timer, life.status_pipe};
  grid_guard_close_all_but(kept, sizeof kept / sizeof kept[0]);
  grid_guard_let_go_of_standard();
  if (keeper->limit_number != 0) obey_limit();
  keep();
  _exit(0);
}
