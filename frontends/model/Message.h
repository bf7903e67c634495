// Pieces of messages about untrusted files.

#ifndef TCC_FRONTENDS_MODEL_MESSAGE_H
#define TCC_FRONTENDS_MODEL_MESSAGE_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tcc {

/// `text` in single quotes, fit for a terminal: bytes outside printable ASCII
/// become \xNN, and what is longer than 120 bytes is cut.
std::string quoteText(std::string_view text);

/// `shape` as "[4096, 128]".
std::string shapeText(const std::vector<int64_t> &shape);

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_MESSAGE_H
