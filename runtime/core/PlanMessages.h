// Parts of messages about a plan.

#ifndef TCC_RUNTIME_CORE_PLANMESSAGES_H
#define TCC_RUNTIME_CORE_PLANMESSAGES_H

#include "runtime/schema/Executable_generated.h"
#include "runtime/support/Text.h"

#include <cstdint>
#include <string>

namespace tcc::rt {

/// Entry `index` of a list of the file.
inline std::string number(const char *table, uint64_t index) {
  return std::string(table) + " " + std::to_string(index);
}

inline std::string nameOf(const char *table, const flatbuffers::String &name) {
  return std::string(table) + " '" + printable(name.string_view()) + "'";
}

inline std::string gotInstead(const std::string &expected, uint64_t got) {
  return "expected " + expected + ", got " + std::to_string(got);
}

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_PLANMESSAGES_H
