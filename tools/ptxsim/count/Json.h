// Writes JSON: objects, arrays, strings and whole numbers.

#ifndef TCC_TOOLS_PTXSIM_COUNT_JSON_H
#define TCC_TOOLS_PTXSIM_COUNT_JSON_H

#include <cstdint>
#include <string>
#include <string_view>

namespace ptxsim {

/// Every member of an object has a name, elements of arrays have none. Bytes of
/// strings that are not UTF-8 become U+FFFD.
class JsonWriter {
public:
  void beginObject(std::string_view name = {}) { begin(name, '{'); }
  void endObject() { end('}'); }
  void beginArray(std::string_view name = {}) { begin(name, '['); }
  void endArray() { end(']'); }
  void number(std::string_view name, uint64_t value);
  void string(std::string_view name, std::string_view value);
  void boolean(std::string_view name, bool value);
  /// Begins a new line before the next value.
  void newLine() { breaks = true; }

  const std::string &text() const { return result; }

private:
  void begin(std::string_view name, char bracket);
  void end(char bracket);
  void startValue(std::string_view name);
  void quote(std::string_view value);

  std::string result;
  bool needsComma = false;
  bool breaks = false;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_COUNT_JSON_H
