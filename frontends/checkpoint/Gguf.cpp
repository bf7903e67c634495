#include "frontends/checkpoint/Gguf.h"

#include "frontends/model/Message.h"
#include "frontends/model/Storage.h"

#include <cstring>
#include <unordered_set>

using namespace tcc;

/// Bytes of one value of `type`; 0 if the size is not fixed, or the type
/// unknown.
static size_t sizeOfType(GgufType type) {
  switch (type) {
  case GgufType::UInt8:
  case GgufType::Int8:
  case GgufType::Bool:
    return 1;
  case GgufType::UInt16:
  case GgufType::Int16:
    return 2;
  case GgufType::UInt32:
  case GgufType::Int32:
  case GgufType::Float32:
    return 4;
  case GgufType::UInt64:
  case GgufType::Int64:
  case GgufType::Float64:
    return 8;
  case GgufType::String:
  case GgufType::Array:
    return 0;
  }
  return 0;
}

template <typename T>
static T load(const uint8_t *bytes) {
  T value;
  memcpy(&value, bytes, sizeof(T));
  return value;
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

namespace tcc {
/// Reads a file from front to back. Nothing is allocated by a number from the
/// file before the bytes that it counts are known to be there.
class GgufParser {
public:
  GgufParser(const uint8_t *data, size_t size, GgufFile &file)
      : data(data), size(size), file(file) {}

  Status parse();

private:
  Status readHeader();
  Status readMetadata();
  Status readValue(const std::string &key, GgufValue &value);
  Status readArray(const std::string &key, GgufValue &value);
  Status readTensor(GgufTensor &tensor);
  Status readShape(GgufTensor &tensor);
  Status readStorage(GgufTensor &tensor);
  Status placeTensors();
  Status readString(const std::string &what, std::string_view &result);

  template <typename T>
  Status read(const std::string &what, T &result) {
    if (size - position < sizeof(T))
      return truncated(what);
    result = load<T>(data + position);
    position += sizeof(T);
    return {};
  }

  Status truncated(const std::string &what) const {
    return bad(what + ": expected to be within the file of " +
               std::to_string(size) + " bytes, got past its end");
  }
  Status bad(const std::string &text) const {
    return damagedData(file.path() + ": " + text);
  }
  Status unsupported(const std::string &text) const {
    return Status::badData(file.path() + ": " + text);
  }

  const uint8_t *data;
  size_t size;
  size_t position = 0;
  GgufFile &file;
  uint64_t tensorCount = 0, metadataCount = 0;
};
} // namespace tcc

Status GgufParser::readString(const std::string &what,
                              std::string_view &result) {
  uint64_t length = 0;
  if (Status status = read(what, length); !status.ok())
    return status;
  if (length > size - position)
    return truncated(what);
  result = {reinterpret_cast<const char *>(data + position), length};
  position += length;
  return {};
}

Status GgufParser::readHeader() {
  if (size < 4 || memcmp(data, "GGUF", 4) != 0)
    return bad("not a GGUF file: expected it to begin with 'GGUF'");
  position = 4;
  uint32_t version = 0;
  if (Status status = read("header", version); !status.ok())
    return status;
  if (version != 0 && (version & 0xffff) == 0)
    return unsupported(
        "expected a little-endian GGUF file, got a big-endian one; "
        "convert the model again");
  if (version != 3)
    return unsupported("expected GGUF version 3, got " +
                       std::to_string(version) +
                       "; convert the model again with a current llama.cpp");
  if (Status status = read("header", tensorCount); !status.ok())
    return status;
  if (Status status = read("header", metadataCount); !status.ok())
    return status;
  // The least that a tensor and an entry of the metadata take.
  constexpr uint64_t tensorBytes = 8 + 4 + 8 + 4 + 8, entryBytes = 8 + 4 + 1;
  uint64_t left = size - position;
  if (tensorCount > left / tensorBytes || metadataCount > left / entryBytes)
    return truncated("header: " + std::to_string(tensorCount) +
                     " tensors and " + std::to_string(metadataCount) +
                     " metadata entries");
  return {};
}

Status GgufParser::readArray(const std::string &key, GgufValue &value) {
  uint32_t type = 0;
  if (Status status = read(key, type); !status.ok())
    return status;
  value.type = static_cast<GgufType>(type);
  value.isArray = true;
  if (Status status = read(key, value.count); !status.ok())
    return status;
  value.bytes = data + position;
  if (size_t bytes = sizeOfType(value.type)) {
    if (value.count > (size - position) / bytes)
      return truncated(key);
    position += value.count * bytes;
    return {};
  }
  if (value.type != GgufType::String)
    return bad(key + ": expected an array of numbers or strings, got type " +
               std::to_string(type));
  std::string_view text;
  for (uint64_t i = 0; i < value.count; ++i)
    if (Status status = readString(key, text); !status.ok())
      return status;
  return {};
}

Status GgufParser::readValue(const std::string &key, GgufValue &value) {
  uint32_t type = 0;
  if (Status status = read(key, type); !status.ok())
    return status;
  value.type = static_cast<GgufType>(type);
  value.bytes = data + position;
  if (value.type == GgufType::Array)
    return readArray(key, value);
  std::string_view text;
  if (value.type == GgufType::String)
    return readString(key, text);
  size_t bytes = sizeOfType(value.type);
  if (bytes == 0)
    return bad(key + ": expected a type from 0 to 12, got " +
               std::to_string(type));
  if (bytes > size - position)
    return truncated(key);
  position += bytes;
  return {};
}

Status GgufParser::readMetadata() {
  for (uint64_t i = 0; i < metadataCount; ++i) {
    std::string place = "metadata entry " + std::to_string(i);
    std::string_view key;
    if (Status status = readString(place, key); !status.ok())
      return status;
    GgufValue value{};
    if (Status status = readValue(place + " " + quoteText(key), value);
        !status.ok())
      return status;
    if (!file.metadata.emplace(key, value).second)
      return bad(place + ": expected every key once, got a second " +
                 quoteText(key));
  }
  return {};
}

Status GgufParser::readShape(GgufTensor &tensor) {
  std::string place = "tensor " + quoteText(tensor.name);
  uint32_t rank = 0;
  if (Status status = read(place, rank); !status.ok())
    return status;
  if (rank < 1 || rank > 4)
    return bad(place + ": expected 1 to 4 dimensions, got " +
               std::to_string(rank));
  tensor.shape.resize(rank);
  // The file has the innermost dimension first.
  for (uint32_t i = rank; i-- > 0;) {
    uint64_t dimension = 0;
    if (Status status = read(place, dimension); !status.ok())
      return status;
    if (dimension < 1 || dimension > INT64_MAX)
      return bad(place + ": expected dimensions from 1, got " +
                 std::to_string(dimension));
    tensor.shape[i] = static_cast<int64_t>(dimension);
  }
  return {};
}

/// The name that ggml gives to a type, for messages.
static std::string ggmlTypeName(uint32_t type) {
  static constexpr const char *names[] = {
      "F32",   "F16",   "Q4_0",    "Q4_1",   "Q4_2",    "Q4_3",  "Q5_0",
      "Q5_1",  "Q8_0",  "Q8_1",    "Q2_K",   "Q3_K",    "Q4_K",  "Q5_K",
      "Q6_K",  "Q8_K",  "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL",
      "IQ3_S", "IQ2_S", "IQ4_XS",  "I8",     "I16",     "I32",   "I64",
      "F64",   "IQ1_M", "BF16"};
  if (type < sizeof(names) / sizeof(names[0]))
    return names[type];
  return "type " + std::to_string(type);
}

Status GgufParser::readStorage(GgufTensor &tensor) {
  uint32_t type = 0;
  std::string place = "tensor " + quoteText(tensor.name);
  if (Status status = read(place, type); !status.ok())
    return status;
  switch (type) {
  case 0:
    tensor.storage = schema::Storage::F32;
    return {};
  case 1:
    tensor.storage = schema::Storage::F16;
    return {};
  case 2:
    tensor.storage = schema::Storage::Q4_0;
    return {};
  case 3:
    tensor.storage = schema::Storage::Q4_1;
    return {};
  case 8:
    tensor.storage = schema::Storage::Q8_0;
    return {};
  case 30:
    tensor.storage = schema::Storage::BF16;
    return {};
  default:
    break;
  }
  return unsupported(
      place + ": expected type F32, F16, BF16, Q8_0, Q4_0 or Q4_1, got " +
      ggmlTypeName(type) + "; convert the model to one of these");
}

Status GgufParser::readTensor(GgufTensor &tensor) {
  std::string_view name;
  if (Status status = readString("list of tensors", name); !status.ok())
    return status;
  tensor.name = name;
  if (Status status = readShape(tensor); !status.ok())
    return status;
  if (Status status = readStorage(tensor); !status.ok())
    return status;
  return read("tensor " + quoteText(name), tensor.offset);
}

/// Makes the offsets of tensors, which count from the end of the list rounded
/// up to the alignment, count from the start of the file.
Status GgufParser::placeTensors() {
  int64_t alignment = 32;
  if (Status status =
          file.getInteger("general.alignment", 8, 1 << 30, alignment);
      !status.ok())
    return status;
  if ((alignment & (alignment - 1)) != 0)
    return file.unexpected("general.alignment", "a power of two");
  uint64_t mask = static_cast<uint64_t>(alignment) - 1;
  uint64_t start = (position + mask) & ~mask;
  for (GgufTensor &tensor : file.tensors) {
    std::string place = "tensor " + quoteText(tensor.name);
    if ((tensor.offset & mask) != 0)
      return bad(place + ": expected an offset that is a multiple of " +
                 std::to_string(alignment) + ", got " +
                 std::to_string(tensor.offset));
    if (__builtin_add_overflow(tensor.offset, start, &tensor.offset) ||
        tensor.offset > size)
      return truncated(place);
  }
  return {};
}

Status GgufParser::parse() {
  if (Status status = readHeader(); !status.ok())
    return status;
  if (Status status = readMetadata(); !status.ok())
    return status;
  file.tensors.reserve(tensorCount);
  std::unordered_set<std::string> names;
  for (uint64_t i = 0; i < tensorCount; ++i) {
    GgufTensor tensor;
    if (Status status = readTensor(tensor); !status.ok())
      return status;
    if (!names.insert(tensor.name).second)
      return bad("tensor " + quoteText(tensor.name) +
                 ": expected every tensor once, got a second one");
    file.tensors.push_back(std::move(tensor));
  }
  return placeTensors();
}

Status GgufFile::parse(const std::string &path, const uint8_t *data,
                       size_t size, GgufFile &result) {
  GgufFile file;
  file.name = path;
  if (Status status = GgufParser(data, size, file).parse(); !status.ok())
    return status;
  result = std::move(file);
  return {};
}

//===----------------------------------------------------------------------===//
// Metadata
//===----------------------------------------------------------------------===//

static std::string_view stringAt(const uint8_t *bytes) {
  return {reinterpret_cast<const char *>(bytes + 8), load<uint64_t>(bytes)};
}

/// The integer at `bytes`; false if `type` is none, or it exceeds int64_t.
static bool integerAt(GgufType type, const uint8_t *bytes, int64_t &result) {
  switch (type) {
  case GgufType::UInt8:
    result = load<uint8_t>(bytes);
    return true;
  case GgufType::Int8:
    result = int64_t{load<int8_t>(bytes)};
    return true;
  case GgufType::UInt16:
    result = load<uint16_t>(bytes);
    return true;
  case GgufType::Int16:
    result = load<int16_t>(bytes);
    return true;
  case GgufType::UInt32:
    result = load<uint32_t>(bytes);
    return true;
  case GgufType::Int32:
    result = load<int32_t>(bytes);
    return true;
  case GgufType::UInt64:
  case GgufType::Int64:
    result = load<int64_t>(bytes);
    return type == GgufType::Int64 || result >= 0;
  default:
    return false;
  }
}

/// `value` as the "got …" of a message.
static std::string valueText(const GgufValue &value) {
  if (value.isArray)
    return "an array of " + std::to_string(value.count);
  int64_t integer = 0;
  if (integerAt(value.type, value.bytes, integer))
    return std::to_string(integer);
  switch (value.type) {
  case GgufType::UInt64:
    return std::to_string(load<uint64_t>(value.bytes));
  case GgufType::Float32:
    return std::to_string(load<float>(value.bytes));
  case GgufType::Float64:
    return std::to_string(load<double>(value.bytes));
  case GgufType::Bool:
    return load<uint8_t>(value.bytes) ? "true" : "false";
  default:
    return quoteText(stringAt(value.bytes));
  }
}

Status GgufFile::unexpected(const std::string &key,
                            const std::string &expected) const {
  auto entry = metadata.find(key);
  std::string shown = quoteText(key); // The key may be any bytes.
  return unsupportedData(
      name + ": " + shown.substr(1, shown.size() - 2) + ": expected " +
      expected + ", got " +
      (entry == metadata.end() ? "nothing" : valueText(entry->second)));
}

Status GgufFile::getInteger(const std::string &key, int64_t minimum,
                            int64_t maximum, int64_t &result) const {
  auto entry = metadata.find(key);
  if (entry == metadata.end())
    return {};
  int64_t value = 0;
  const GgufValue &found = entry->second;
  if (found.isArray || !integerAt(found.type, found.bytes, value) ||
      value < minimum || value > maximum)
    return unexpected(key, "an integer from " + std::to_string(minimum) +
                               " to " + std::to_string(maximum));
  result = value;
  return {};
}

Status GgufFile::getNumber(const std::string &key, double &result) const {
  auto entry = metadata.find(key);
  if (entry == metadata.end())
    return {};
  const GgufValue &value = entry->second;
  int64_t integer = 0;
  if (!value.isArray && value.type == GgufType::Float32)
    result = load<float>(value.bytes);
  else if (!value.isArray && value.type == GgufType::Float64)
    result = load<double>(value.bytes);
  else if (!value.isArray && integerAt(value.type, value.bytes, integer))
    result = static_cast<double>(integer);
  else
    return unexpected(key, "a number");
  return {};
}

Status GgufFile::getBool(const std::string &key, bool &result) const {
  auto entry = metadata.find(key);
  if (entry == metadata.end())
    return {};
  if (entry->second.isArray || entry->second.type != GgufType::Bool)
    return unexpected(key, "true or false");
  result = load<uint8_t>(entry->second.bytes) != 0;
  return {};
}

Status GgufFile::getString(const std::string &key, std::string &result) const {
  auto entry = metadata.find(key);
  if (entry == metadata.end())
    return {};
  if (entry->second.isArray || entry->second.type != GgufType::String)
    return unexpected(key, "a string");
  result = stringAt(entry->second.bytes);
  return {};
}

Status GgufFile::getStrings(const std::string &key,
                            std::vector<std::string> &result) const {
  auto entry = metadata.find(key);
  if (entry == metadata.end())
    return {};
  const GgufValue &value = entry->second;
  if (!value.isArray || value.type != GgufType::String)
    return unexpected(key, "an array of strings");
  result.clear();
  const uint8_t *bytes = value.bytes;
  for (uint64_t i = 0; i < value.count; ++i) {
    std::string_view text = stringAt(bytes);
    result.emplace_back(text);
    bytes += 8 + text.size();
  }
  return {};
}

Status GgufFile::getFloats(const std::string &key,
                           std::vector<float> &result) const {
  auto entry = metadata.find(key);
  if (entry == metadata.end())
    return {};
  const GgufValue &value = entry->second;
  if (!value.isArray || value.type != GgufType::Float32)
    return unexpected(key, "an array of 32-bit floating-point numbers");
  result.resize(value.count);
  if (value.count)
    memcpy(result.data(), value.bytes, value.count * sizeof(float));
  return {};
}

Status GgufFile::getIntegers(const std::string &key,
                             std::vector<int32_t> &result) const {
  auto entry = metadata.find(key);
  if (entry == metadata.end())
    return {};
  const GgufValue &value = entry->second;
  if (!value.isArray || value.type != GgufType::Int32)
    return unexpected(key, "an array of 32-bit integers");
  result.resize(value.count);
  if (value.count)
    memcpy(result.data(), value.bytes, value.count * sizeof(int32_t));
  return {};
}
