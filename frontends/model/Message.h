// Pieces of messages about untrusted files.

#ifndef TCC_FRONTENDS_MODEL_MESSAGE_H
#define TCC_FRONTENDS_MODEL_MESSAGE_H

#include "runtime/support/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tcc {

/// `text` in single quotes, fit for a terminal.
std::string quoteText(std::string_view text);

/// `shape` as "[4096, 128]".
std::string shapeText(const std::vector<int64_t> &shape);

/// BadData about bytes that are not what their format promises: `message`, and
/// what to do.
Status damagedData(const std::string &message);

/// BadData about contents that are not supported or do not fit together.
Status unsupportedData(const std::string &message);

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_MESSAGE_H
