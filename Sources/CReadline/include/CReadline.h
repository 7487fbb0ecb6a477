/// The line editor: GNU Readline's callback interface behind a narrow door, and the signals of a terminal session as
/// bytes of a pipe.
///
/// Readline keeps its state in global variables and calls back without an argument, so all functions of the first part
/// belong to one thread, the terminal's. The functions of the second part may be called from any thread.
///
/// Built with GRID_WITHOUT_READLINE, the same functions work on whole lines of a cooked terminal: no editing keys
/// beyond the terminal's own, no completion, no recall of earlier lines. GNU Readline is licensed under the GPL,
/// version 3 or later; that build does not contain it.

#ifndef GRID_READLINE_H
#define GRID_READLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang assume_nonnull begin
#endif

// Part one: the editor.

/// What the editor calls, on the terminal's thread.
typedef struct {
  /// A line is complete; NULL at the end of input. Called with the handler already removed.
  void (*line)(const char *_Nullable text);
  /// Candidates are wanted for the word that begins at `start` (bytes) and ends at `end`; they are given with
  /// grid_completion_add before this returns.
  void (*complete)(const char *line, int start, int end);
  /// F1 was pressed.
  void (*help)(const char *line, int point);
} grid_editor_callbacks;

/// Whether this build has readline.
bool grid_editor_has_readline(void);
/// Readline's version, or an empty text.
const char *grid_editor_version(void);

/// Sets the editor up, once. Reads the user's inputrc.
void grid_editor_prepare(grid_editor_callbacks callbacks);
/// Shows the prompt and begins a line; the terminal is set for editing. Bytes between \001 and \002 take no room.
void grid_editor_begin(const char *prompt);
/// Ends editing without a line; the terminal is as it was before.
void grid_editor_end(void);
/// Whether a line is being edited.
bool grid_editor_is_active(void);
/// Takes what the terminal has for the line. Nothing happens when no line is edited.
void grid_editor_read(void);
/// Puts a text into the line, for the next line when none is edited.
void grid_editor_preset(const char *text);
/// The line as typed so far, and the place of the cursor in bytes.
const char *grid_editor_line(void);
int grid_editor_point(void);

/// Takes prompt and line off the screen; output may follow, in whole lines.
void grid_editor_hide(void);
/// Shows prompt and line again.
void grid_editor_show(void);
/// Changes the prompt of the line that is being edited; between hide and show.
void grid_editor_set_prompt(const char *prompt);
/// Whether the prompt on the screen is not the line's own, as in a search.
bool grid_editor_is_searching(void);
/// Ends editing as Ctrl-C does: the line stays on the screen, marked, and is thrown away.
void grid_editor_cancel(void);
/// The terminal has another size now.
void grid_editor_resized(void);
/// Gives the terminal back to the shell while the process is stopped, and takes it again.
void grid_editor_suspend(void);
void grid_editor_resume(void);

/// Adds a candidate; `is_whole` when a space may follow it.
void grid_completion_add(const char *text, bool is_whole);

/// The list of earlier lines, oldest first.
void grid_history_add(const char *line);
int grid_history_count(void);
/// The line at `index`, NULL when there is none.
const char *_Nullable grid_history_line(int index);
/// Reads a file of lines with times, written by grid_history_append; 0 or an errno.
int grid_history_read(const char *path);
/// Appends the newest line to the file, which is made with mode 0600; 0 or an errno.
int grid_history_append(const char *path);
/// Keeps so many lines at most, in the list and in the file; 0 or an errno.
int grid_history_limit(int count, const char *path);

/// Shows or hides what is typed while no line is edited; what is hidden then appears in the next line. Nothing happens
/// where standard input is no terminal.
void grid_terminal_echo(bool is_shown);

// Part two: signals.

/// Routes SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP and SIGQUIT into a pipe as one byte each, the signal's number.
/// Programs that are started later have the default dispositions: handlers do not survive exec.
///
/// Returns the pipe's end to read, not blocking and closed on exec, or -1 with errno.
int grid_signals_open(void);
/// Stops the process as Ctrl-Z does one without a handler, and returns when it goes on; at once where the kernel knows
/// that nobody could let it go on, as without a shell above it. The calling thread is told, so that nothing of it runs
/// before.
void grid_signals_stop(void);
/// Puts a zero byte into the pipe, to wake who waits for it. Async-signal-safe.
void grid_signals_wake(void);
/// Restores the dispositions and closes the pipe.
void grid_signals_close(void);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif

#endif
