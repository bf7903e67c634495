#include "tools/support/Process.h"

#include "runtime/support/File.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <unistd.h>

using namespace tcc;

/// Ends without destructors: they may want what a signal interrupted.
[[noreturn]] static void end(Status::Code code) {
  AtomicFile::removeAllTemporaries();
  _exit(static_cast<int>(code));
}

static void say(const char *text) {
  ssize_t written = write(STDERR_FILENO, text, strlen(text));
  static_cast<void>(written);
}

/// Of an access beyond the end of a mapped file. Several threads may come here at
/// once: the first ends the program.
static void endTruncated(int) {
  static std::atomic_flag isEnding = ATOMIC_FLAG_INIT;
  while (isEnding.test_and_set())
    pause();
  say(program_invocation_short_name);
  say(": error: a file became shorter while it was read; leave files alone "
      "until the program ends\n");
  end(Status::Code::BadData);
}

void tcc::prepareProcess() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  signal(SIGBUS, endTruncated);
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(descriptor, F_GETFD) < 0) // The lowest that is free is taken.
      static_cast<void>(open("/dev/null", O_RDONLY));
}

void tcc::endInterrupted() { end(Status::Code::Interrupted); }

void tcc::onInterrupt(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    sigaction(signal, &action, nullptr);
}

static const char *outOfMemoryMessage = "";

void tcc::endOutOfMemory() {
  say(outOfMemoryMessage);
  end(Status::Code::OutOfMemory);
}

void tcc::endWhenOutOfMemory(const char *message) {
  outOfMemoryMessage = message;
  std::set_new_handler(endOutOfMemory);
}

/// Of the first write to stdout that failed, or 0.
static int outputError = 0;

bool tcc::writeOutput(const std::string &text, bool flush) {
  bool isWritten = fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (isWritten && flush)
    isWritten = fflush(stdout) == 0;
  if (!isWritten && outputError == 0)
    outputError = errno;
  return outputError == 0;
}

Status tcc::finishOutput() {
  if (writeOutput("", /*flush=*/true))
    return {};
  return {Status::Code::CannotWrite, std::string("standard output: cannot "
                                                 "write: ") +
                                         strerror(outputError)};
}
