// Collects the errors of one text.

#ifndef TCC_TOOLS_PTXSIM_PTX_DIAGNOSTICS_H
#define TCC_TOOLS_PTXSIM_PTX_DIAGNOSTICS_H

#include "tools/ptxsim/ptx/Parser.h"

#include <string>
#include <string_view>
#include <vector>

namespace ptxsim::ptx {

class Diagnostics {
public:
  /// More would be consequences of the first ones.
  static constexpr size_t limit = 20;

  Diagnostics(std::string_view text, std::vector<Diagnostic> &list)
      : text(text), list(list), first(list.size()) {}

  /// Adds an error with its line of the text, unless there are enough.
  void add(Location location, std::string message, bool isVersion = false);

  bool isFull() const { return list.size() - first >= limit; }
  bool isEmpty() const { return list.size() == first; }

private:
  std::string_view text;
  std::vector<Diagnostic> &list;
  size_t first;
};

/// The nearest of some names to one that is not known.
class NearestName {
public:
  explicit NearestName(std::string_view name) : name(name) {}

  /// Takes `candidate` if it is nearer than those before and near enough.
  void consider(std::string_view candidate);

  /// Returns "; did you mean 'x'?", or nothing.
  std::string suggestion() const;

private:
  std::string_view name;
  std::string_view best;
  size_t bestDistance = 3;
};

} // namespace ptxsim::ptx

#endif // TCC_TOOLS_PTXSIM_PTX_DIAGNOSTICS_H
