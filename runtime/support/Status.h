// Why a call failed, as a value.

#ifndef TCC_RUNTIME_SUPPORT_STATUS_H
#define TCC_RUNTIME_SUPPORT_STATUS_H

#include <string>
#include <utility>

namespace tcc {

/// Why a call failed. Functions that can fail return a Status and leave their
/// outputs untouched unless it is ok. The message names file and place, what
/// was expected and what came, and what to do; it has no prefix and no full
/// stop.
class [[nodiscard]] Status {
public:
  /// The value is the exit code of the command-line tools (sysexits.h).
  enum class Code {
    Ok = 0,
    Usage = 64,             ///< Options or arguments that make no sense.
    BadData = 65,           ///< An input file is malformed or not supported.
    NoInput = 66,           ///< An input file is missing or unreadable.
    DeviceUnavailable = 69, ///< The machine lacks what the file needs.
    Internal = 70,          ///< A mistake of ours.
    OutOfMemory = 71,
    CannotWrite = 73,
    Interrupted = 130, ///< Ctrl-C.
  };

  Status() = default;
  Status(Code code, std::string message)
      : statusCode(code), text(std::move(message)) {}

  static Status badData(std::string message) {
    return {Code::BadData, std::move(message)};
  }

  bool ok() const { return statusCode == Code::Ok; }
  Code code() const { return statusCode; }
  int exitCode() const { return static_cast<int>(statusCode); }
  const std::string &message() const { return text; }

private:
  Code statusCode = Code::Ok;
  std::string text;
};

} // namespace tcc

#endif // TCC_RUNTIME_SUPPORT_STATUS_H
