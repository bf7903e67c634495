// GGUF version 3 as a container: metadata and the places of tensors. What they
// mean is in GgufLlama.h.
//
// Source: docs/gguf.md of ggml-org/ggml.

#ifndef TCC_FRONTENDS_CHECKPOINT_GGUF_H
#define TCC_FRONTENDS_CHECKPOINT_GGUF_H

#include "frontends/model/Model_generated.h"
#include "runtime/support/Status.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tcc {

/// The types of metadata, with the numbers that the file has.
enum class GgufType : uint32_t {
  UInt8,
  Int8,
  UInt16,
  Int16,
  UInt32,
  Int32,
  Float32,
  Bool,
  String,
  Array,
  UInt64,
  Int64,
  Float64
};

/// One value of the metadata, within the bytes of the file. Everything that it
/// contains lies in the file.
struct GgufValue {
  GgufType type; ///< Of the elements, if it is an array.
  bool isArray = false;
  uint64_t count = 1;   ///< Elements.
  const uint8_t *bytes; ///< Where the first element is.
};

/// One tensor whose type is supported and whose offset is aligned. Whether it
/// fits in the file is checked with the model.
struct GgufTensor {
  std::string name;
  schema::Storage storage;
  std::vector<int64_t> shape; ///< Outermost dimension first.
  uint64_t offset;            ///< Bytes from the start of the file.
};

/// A parsed GGUF file; points into the bytes that it was parsed from.
///
/// The `get…` functions leave `result` as it is if there is no such key. They
/// fail if the value is of another type or outside the range.
class GgufFile {
public:
  /// Parses the `size` bytes at `data`, the contents of the file `path`.
  static Status parse(const std::string &path, const uint8_t *data, size_t size,
                      GgufFile &result);

  bool has(const std::string &key) const { return metadata.count(key) != 0; }
  Status getInteger(const std::string &key, int64_t minimum, int64_t maximum,
                    int64_t &result) const;
  Status getNumber(const std::string &key, double &result) const;
  Status getBool(const std::string &key, bool &result) const;
  Status getString(const std::string &key, std::string &result) const;
  Status getStrings(const std::string &key,
                    std::vector<std::string> &result) const;
  Status getFloats(const std::string &key, std::vector<float> &result) const;
  Status getIntegers(const std::string &key,
                     std::vector<int32_t> &result) const;

  /// BadData: "<path>: <key>: expected <expected>, got <value>".
  Status unexpected(const std::string &key, const std::string &expected) const;

  const std::string &path() const { return name; }

  std::map<std::string, GgufValue, std::less<>> metadata;
  std::vector<GgufTensor> tensors;

private:
  friend class GgufParser;
  std::string name;
};

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_GGUF_H
