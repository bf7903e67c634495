// JSON from untrusted files.

#ifndef TCC_FRONTENDS_CHECKPOINT_JSON_H
#define TCC_FRONTENDS_CHECKPOINT_JSON_H

#include "runtime/support/Status.h"

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace tcc {

/// A JSON value. Its converting accessors throw when the type is another: look
/// with `findMember` and `get_ptr` instead.
using Json = nlohmann::json;

/// What a JSON text may be at most.
struct JsonLimits {
  size_t bytes = size_t{1} << 20;
  size_t depth = 32; ///< Of nested arrays and objects.
};

/// Parses the `size` bytes at `data`, the contents of the file called `path`.
///
/// \returns BadData, with line and column, for what is not JSON in UTF-8, is
///          larger or deeper than `limits`, or has a key twice in one object.
Status parseJson(const std::string &path, const void *data, size_t size,
                 const JsonLimits &limits, Json &result);

/// Maps and parses the file `path`, which must hold an object.
///
/// \returns NoInput if it cannot be read; BadData as above.
Status parseJsonFile(const std::string &path, const JsonLimits &limits,
                     Json &result);

/// The member `key` of `object`, or null if there is none, or if `object` is
/// not an object.
const Json *findMember(const Json &object, const std::string &key);

/// `value` for the "got …" of a message: scalars as they are written, cut when
/// long; "[64, 64]" if it is a few numbers, else "an array of 3"; "an object",
/// "an empty object" or, if `value` is null, "nothing".
std::string jsonText(const Json *value);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_JSON_H
