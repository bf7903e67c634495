// Reads PTX text.

#ifndef TCC_TOOLS_PTXSIM_PTX_PARSER_H
#define TCC_TOOLS_PTXSIM_PTX_PARSER_H

#include "tools/ptxsim/ptx/Module.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ptxsim::ptx {

/// One thing that is wrong with a module.
struct Diagnostic {
  Location location;
  std::string message; ///< "expected …, got …"
  std::string text;    ///< The line or a part of it, for the reader.
  bool isVersion = false; ///< It is only the version that is not supported.
};

/// Renders "name:line:column: error: expected …, got …" and the line's text.
std::string render(const Diagnostic &diagnostic, std::string_view name);

/// Parses `text`, which is called `name` in messages. Accepts versions 8.0 to
/// 9.0, targets sm_90 and sm_90a and what they are compatible with.
///
/// Errors end the statement, not the parse: at most 20 are collected. Time and
/// memory are linear in the text. Safe for any bytes.
///
/// \returns null if there is an error; `diagnostics` says which.
std::unique_ptr<Module> parse(std::string text, std::string name,
                              std::vector<Diagnostic> &diagnostics);

} // namespace ptxsim::ptx

#endif // TCC_TOOLS_PTXSIM_PTX_PARSER_H
