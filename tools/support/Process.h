// What the programs for users share: how they end when a signal comes, when
// memory runs out and when their output is lost.

#ifndef TCC_TOOLS_SUPPORT_PROCESS_H
#define TCC_TOOLS_SUPPORT_PROCESS_H

#include "runtime/support/Status.h"

#include <string>

namespace tcc {

/// To be called first, and after LLVM's handlers are installed. Afterwards
/// - writing to a closed pipe or beyond a limit is an error of the call, not the
///   end of the program: temporary files are to be removed;
/// - a file that becomes shorter while it is read ends the program with a message,
///   exit code BadData and no temporary files;
/// - no file that is opened becomes stdin, stdout or stderr because the program was
///   started without them.
void prepareProcess();

/// Removes temporary files and ends the program with exit code Interrupted.
/// Callable from a signal handler.
[[noreturn]] void endInterrupted();

/// Calls `handler` when the user interrupts (Ctrl-C) or the system asks the
/// program to end.
void onInterrupt(void (*handler)(int));

/// Makes an allocation that fails end the program with `message`, exit code
/// OutOfMemory and no temporary files. Not by std::bad_alloc: where memory is
/// short from the start, the library has none for an exception either.
///
/// \param message A literal with the name of the program and a line's end.
void endWhenOutOfMemory(const char *message);

/// Ends the program with the message that endWhenOutOfMemory was given.
[[noreturn]] void endOutOfMemory();

/// Writes to stdout, and flushes if `flush`.
///
/// \returns false if anything that was written so far is lost.
bool writeOutput(const std::string &text, bool flush);

/// Flushes stdout.
///
/// \returns CannotWrite if anything that was written to it is lost.
Status finishOutput();

} // namespace tcc

#endif // TCC_TOOLS_SUPPORT_PROCESS_H
