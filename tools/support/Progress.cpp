#include "tools/support/Progress.h"

#include <cstdio>
#include <unistd.h>

using namespace tcc;

void Progress::show(const std::string &line) {
  static const bool isTerminal = isatty(STDERR_FILENO);
  auto now = std::chrono::steady_clock::now();
  if (now - last < std::chrono::milliseconds(isTerminal ? 200 : 10000))
    return;
  last = now;
  if (isTerminal)
    fprintf(stderr, "\r%s\033[K", line.c_str());
  else
    fprintf(stderr, "%s: %s\n", tool.c_str(), line.c_str());
  isShown = isTerminal;
}

void Progress::clear() {
  if (isShown)
    fputs("\r\033[K", stderr);
  isShown = false;
}
