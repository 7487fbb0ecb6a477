#include "CReadline.h"

#include <termios.h>
#include <unistd.h>

void grid_terminal_echo(bool is_shown) {
  struct termios settings;
  if (tcgetattr(0, &settings) != 0) return;
  bool was_shown = (settings.c_lflag & ECHO) != 0;
  if (was_shown == is_shown) return;
  if (is_shown) {
    settings.c_lflag |= ECHO;
  } else {
    settings.c_lflag &= ~(tcflag_t)ECHO;
  }
  tcsetattr(0, TCSANOW, &settings);
}
