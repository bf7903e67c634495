// How far long work is, for a user who waits.

#ifndef TCC_TOOLS_SUPPORT_PROGRESS_H
#define TCC_TOOLS_SUPPORT_PROGRESS_H

#include <chrono>
#include <string>

namespace tcc {

/// One line on stderr that says how far long work is: rewritten a few times a
/// second on a terminal, every ten seconds elsewhere.
class Progress {
public:
  /// \param tool Begins the line where it is not rewritten.
  explicit Progress(std::string tool) : tool(std::move(tool)) {}
  ~Progress() { clear(); }

  /// Shows `line` if that is due.
  void show(const std::string &line);

  /// Removes the line from a terminal.
  void clear();

private:
  std::string tool;
  std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();
  bool isShown = false;
};

} // namespace tcc

#endif // TCC_TOOLS_SUPPORT_PROGRESS_H
