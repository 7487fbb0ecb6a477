#define _GNU_SOURCE
#include "CReadline.h"

// The editor of a build without readline: whole lines of a cooked terminal.

#ifdef GRID_WITHOUT_READLINE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The longest line that a terminal hands over is 4095 bytes.
static char buffer[8192];
static char shown[1024];
static grid_editor_callbacks callbacks;
static bool is_active;

bool grid_editor_has_readline(void) { return false; }
const char *grid_editor_version(void) { return ""; }
void grid_editor_prepare(grid_editor_callbacks chosen) { callbacks = chosen; }

static void remember(const char *prompt) {
  size_t length = 0;
  // Readline's marks around what takes no room mean nothing to a terminal.
  for (; *prompt != '\0' && length < sizeof shown - 1; prompt++) {
    if (*prompt != '\001' && *prompt != '\002') shown[length++] = *prompt;
  }
  shown[length] = '\0';
}

static void show(void) {
  fputs(shown, stdout);
  fflush(stdout);
}

void grid_editor_begin(const char *prompt) {
  is_active = true;
  remember(prompt);
  show();
}

void grid_editor_end(void) { is_active = false; }
bool grid_editor_is_active(void) { return is_active; }

void grid_editor_read(void) {
  if (!is_active) return;
  ssize_t count = read(0, buffer, sizeof buffer - 1);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  is_active = false;
  if (count <= 0) {
    callbacks.line(NULL);
    return;
  }
  if (buffer[count - 1] == '\n') count--;
  buffer[count] = '\0';
  callbacks.line(buffer);
}

void grid_editor_preset(const char *text) { (void)text; }
const char *grid_editor_line(void) { return ""; }
int grid_editor_point(void) { return 0; }

void grid_editor_hide(void) {
  fputs("\r\033[K", stdout);
  fflush(stdout);
}

void grid_editor_show(void) { show(); }
void grid_editor_set_prompt(const char *prompt) { remember(prompt); }

bool grid_editor_is_searching(void) { return false; }

void grid_editor_cancel(void) {
  fputs("\n", stdout);
  fflush(stdout);
  is_active = false;
}

void grid_editor_resized(void) {}
void grid_editor_suspend(void) {}
void grid_editor_resume(void) { show(); }
void grid_completion_add(const char *text, bool is_whole) { (void)text, (void)is_whole; }
void grid_history_add(const char *line) { (void)line; }
int grid_history_count(void) { return 0; }
const char *grid_history_line(int index) { return (void)index, NULL; }
int grid_history_read(const char *path) { return (void)path, 0; }
int grid_history_append(const char *path) { return (void)path, 0; }
int grid_history_limit(int count, const char *path) { return (void)count, (void)path, 0; }

#endif
