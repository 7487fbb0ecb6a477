#define _GNU_SOURCE
#include "CReadline.h"

#ifndef GRID_WITHOUT_READLINE

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

// Readline keeps the pointers of these, so they live as long as the process.
static char application[] = "gridctl";
static char word_breaks[] = " \t\n|;&>";
static char no_quotes[] = "";

static grid_editor_callbacks callbacks;
static bool is_active;
static bool is_suspended;
static char *preset;

// How many candidates a list shows: a cluster has more actors than a screen has lines.
enum { SHOWN = 200 };

bool grid_editor_has_readline(void) { return true; }
const char *grid_editor_version(void) { return rl_library_version; }

static void line_entered(char *text) {
  // Removed here so that the terminal is in its usual state while the line runs.
  is_active = false;
  rl_callback_handler_remove();
  callbacks.line(text);
  free(text);
}

// Completion: the callback adds candidates, the generator hands them out.

static struct {
  char **texts;
  int count;
  int capacity;
  int next;
  bool is_whole;
} candidates;

static void forget_candidates(void) {
  for (int index = 0; index < candidates.count; index++) free(candidates.texts[index]);
  candidates.count = 0;
  candidates.next = 0;
  candidates.is_whole = true;
}

void grid_completion_add(const char *text, bool is_whole) {
  if (candidates.count == candidates.capacity) {
    int capacity = candidates.capacity == 0 ? 64 : candidates.capacity * 2;
    char **texts = realloc(candidates.texts, (size_t)capacity * sizeof *texts);
    if (texts == NULL) return;
    candidates.texts = texts;
    candidates.capacity = capacity;
  }
  char *copy = strdup(text);
  if (copy == NULL) return;
  candidates.texts[candidates.count++] = copy;
  candidates.is_whole = is_whole;
}

static char *next_candidate(const char *text, int state) {
  (void)text;
  if (state == 0) candidates.next = 0;
  if (candidates.next >= candidates.count) return NULL;
  return strdup(candidates.texts[candidates.next++]);
}

static char **complete(const char *text, int start, int end) {
  forget_candidates();
  // Readline's own file names are no answer to anything asked here.
  rl_attempted_completion_over = 1;
  callbacks.complete(rl_line_buffer, start, end);
  if (candidates.count == 0) return NULL;
  char **matches = rl_completion_matches(text, next_candidate);
  rl_completion_append_character = candidates.count == 1 && candidates.is_whole ? ' ' : '\0';
  rl_completion_suppress_append = rl_completion_append_character == '\0';
  return matches;
}

static void show_matches(char **matches, int count, int longest) {
  int shown = count > SHOWN ? SHOWN : count;
  // The list begins at index 1; what lies beyond the limit is left out by ending it early.
  char *beyond = matches[shown + 1];
  matches[shown + 1] = NULL;
  rl_crlf();
  rl_display_match_list(matches, shown, longest);
  matches[shown + 1] = beyond;
  if (count > shown) fprintf(rl_outstream, "… %'d more\n", count - shown);
  fflush(rl_outstream);
  rl_on_new_line();
  rl_forced_update_display();
}

static int show_help(int count, int key) {
  (void)count;
  (void)key;
  callbacks.help(rl_line_buffer, rl_point);
  return 0;
}

// The narrowest screen that readline reckons with. On one of a column or two it divides by the columns that are left
// beside the prompt or the mark of a wrapped line, which may be none.
enum { NARROWEST = 8, LOWEST = 2 };

// Lets readline know the size of the screen, or of the smallest one it can work on.
static void measure_screen(void) {
  rl_reset_screen_size();
  int rows = 0, columns = 0;
  rl_get_screen_size(&rows, &columns);
  if (columns >= NARROWEST && rows >= LOWEST) return;
  // One more than is wanted: of a terminal that does not wrap by itself readline leaves the last column free.
  rl_set_screen_size(rows < LOWEST ? LOWEST : rows, columns < NARROWEST ? NARROWEST + 1 : columns);
}

static bool is_plain(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) return true;
  return S_ISDIR(status.st_mode) || (S_ISREG(status.st_mode) && status.st_size <= 1 << 20) ||
         strcmp(path, "/dev/null") == 0;
}

// Readline reads the user's settings whatever they are, a pipe that nobody writes to among them.
static void refuse_endless_settings(void) {
  const char *named = getenv("INPUTRC");
  const char *home = getenv("HOME");
  char standard[4096] = "";
  if (home != NULL) snprintf(standard, sizeof standard, "%s/.inputrc", home);
  bool is_named = named != NULL && *named != '\0';
  if (is_plain(is_named ? named : standard)) return;
  // The one place that changes the environment: at the start of a session, and only then.
  setenv("INPUTRC", "/dev/null", 1);
}

static int insert_preset(void) {
  if (preset == NULL) return 0;
  rl_insert_text(preset);
  free(preset);
  preset = NULL;
  return 0;
}

void grid_editor_prepare(grid_editor_callbacks chosen) {
  callbacks = chosen;
  setlocale(LC_CTYPE, "");
  // Names and bodies are UTF-8 whatever the locale says; without it each byte would take a cell.
  if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) setlocale(LC_CTYPE, "C.UTF-8");
  rl_readline_name = application;
  rl_catch_signals = 0;
  rl_catch_sigwinch = 0;
  // The environment is shared with other threads, which setenv must not surprise.
  rl_change_environment = 0;
  rl_outstream = stdout;
  rl_instream = stdin;
  rl_basic_word_break_characters = word_breaks;
  rl_completer_word_break_characters = word_breaks;
  rl_completer_quote_characters = no_quotes;
  rl_attempted_completion_function = complete;
  rl_completion_display_matches_hook = show_matches;
  rl_sort_completion_matches = 1;
  // Before the prompt is shown, so that it is shown with the text.
  rl_startup_hook = insert_preset;
  rl_pre_input_hook = NULL;
  using_history();
  history_comment_char = '#';
  history_write_timestamps = 1;
  history_multiline_entries = 1;
  refuse_endless_settings();
  rl_initialize();
  measure_screen();
  rl_bind_keyseq("\\eOP", show_help);
  rl_bind_keyseq("\\e[11~", show_help);
  rl_bind_keyseq("\\e[[A", show_help);
}

void grid_editor_begin(const char *prompt) {
  is_active = true;
  // The window may have been resized while nothing was edited.
  measure_screen();
  rl_callback_handler_install(prompt, line_entered);
}

void grid_editor_end(void) {
  if (!is_active) return;
  is_active = false;
  rl_clear_visible_line();
  fflush(rl_outstream);
  rl_callback_handler_remove();
}

bool grid_editor_is_active(void) { return is_active; }

void grid_editor_read(void) {
  // Without a handler readline ends the process.
  if (is_active && !is_suspended) rl_callback_read_char();
}

void grid_editor_preset(const char *text) {
  free(preset);
  preset = strdup(text);
}

const char *grid_editor_line(void) { return rl_line_buffer == NULL ? "" : rl_line_buffer; }
int grid_editor_point(void) { return rl_point; }

void grid_editor_hide(void) {
  rl_clear_visible_line();
  // What readline holds back must be out before anybody else writes to the terminal.
  fflush(rl_outstream);
}

void grid_editor_show(void) {
  rl_on_new_line();
  rl_forced_update_display();
  fflush(rl_outstream);
}

void grid_editor_set_prompt(const char *prompt) { rl_set_prompt(prompt); }

bool grid_editor_is_searching(void) {
  return RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG) != 0;
}

void grid_editor_cancel(void) {
  if (!is_active) return;
  // Ends a search, an argument or a macro that is under way, too.
  rl_callback_sigcleanup();
  rl_free_line_state();
  rl_point = rl_end;
  rl_redisplay();
  fputs("^C", rl_outstream);
  rl_crlf();
  fflush(rl_outstream);
  rl_replace_line("", 1);
  is_active = false;
  rl_callback_handler_remove();
}

void grid_editor_resized(void) {
  // Not rl_resize_terminal, which draws on the screen before it can be told that it is too small.
  rl_clear_visible_line();
  measure_screen();
  rl_on_new_line();
  rl_forced_update_display();
  fflush(rl_outstream);
}

void grid_editor_suspend(void) {
  if (!is_active) return;
  is_suspended = true;
  if (rl_deprep_term_function != NULL) rl_deprep_term_function();
  fputc('\n', rl_outstream);
  fflush(rl_outstream);
}

void grid_editor_resume(void) {
  if (!is_active || !is_suspended) return;
  is_suspended = false;
  if (rl_prep_term_function != NULL) rl_prep_term_function(1);
  // The window may have been resized meanwhile.
  measure_screen();
  rl_on_new_line();
  rl_forced_update_display();
  fflush(rl_outstream);
}

// History.

void grid_history_add(const char *line) { add_history(line); }
int grid_history_count(void) { return history_length; }

const char *grid_history_line(int index) {
  HIST_ENTRY *entry = index < 0 ? NULL : history_get(history_base + index);
  return entry == NULL ? NULL : entry->line;
}

int grid_history_read(const char *path) { return read_history(path); }

int grid_history_append(const char *path) {
  // Made here: the library would use the process's mask.
  int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0600);
  if (descriptor < 0) return errno;
  // A pipe would wait for its reader, and the mode of a device is not ours to change.
  struct stat status;
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor);
    return EINVAL;
  }
  // A file that was there before must not be readable by others either.
  int fault = fchmod(descriptor, 0600) == 0 ? 0 : errno;
  close(descriptor);
  return fault != 0 ? fault : append_history(1, path);
}

int grid_history_limit(int count, const char *path) {
  stifle_history(count);
  struct stat status;
  if (stat(path, &status) != 0) return errno == ENOENT ? 0 : errno;
  // Rewriting it races with a session that appends, so it is done seldom: with 256 bytes a line as the measure.
  if (status.st_size < (off_t)count * 256) return 0;
  int fault = history_truncate_file(path, count / 2);
  chmod(path, 0600);
  return fault;
}

#endif
