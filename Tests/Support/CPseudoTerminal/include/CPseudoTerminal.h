/// A pseudo-terminal for tests: what Glibc's module does not show.

#ifndef GRID_PSEUDO_TERMINAL_H
#define GRID_PSEUDO_TERMINAL_H

#include <stddef.h>

/// Opens a terminal of that size; its own side is returned (not blocking, closed on exec), the other side's path is
/// written to `path`. -1 with errno.
int grid_pty_open(char *path, size_t capacity, int rows, int columns);
/// Changes the size, which the programs on it hear of.
int grid_pty_resize(int descriptor, int rows, int columns);

#endif
