// Text from files, on its way into a message.

#ifndef TCC_RUNTIME_SUPPORT_TEXT_H
#define TCC_RUNTIME_SUPPORT_TEXT_H

#include <string>
#include <string_view>

namespace tcc::rt {

/// `text` fit for a terminal: bytes outside printable ASCII become \xNN, and
/// what is longer than 120 bytes is cut.
std::string printable(std::string_view text);

} // namespace tcc::rt

#endif // TCC_RUNTIME_SUPPORT_TEXT_H
