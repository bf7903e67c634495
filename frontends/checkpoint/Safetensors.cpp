#include "frontends/checkpoint/Safetensors.h"

#include "frontends/checkpoint/FileKind.h"
#include "frontends/checkpoint/Json.h"
#include "frontends/model/Message.h"
#include "frontends/model/Storage.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

using namespace tcc;
namespace fs = std::filesystem;

/// The limit that the format itself sets to its header.
static constexpr uint64_t maximumHeaderBytes = 100000000;

//===----------------------------------------------------------------------===//
// One file
//===----------------------------------------------------------------------===//

namespace {
using Tensors = std::vector<std::unique_ptr<schema::TensorT>>;

/// A file whose header has been parsed.
struct Header {
  std::string path;
  Json json;
  uint64_t dataOffset; ///< Bytes from the start of the file.
  uint64_t dataBytes;
};
} // namespace

static Status parseHeader(const std::string &path, const uint8_t *data,
                          size_t size, Header &result) {
  uint64_t headerBytes = 0;
  if (size < sizeof(headerBytes))
    return damagedData(path +
                       ": header: expected at least 8 bytes, got a file of " +
                       std::to_string(size));
  memcpy(&headerBytes, data, sizeof(headerBytes));
  uint64_t limit = std::min<uint64_t>(size - 8, maximumHeaderBytes);
  if (headerBytes > limit)
    return damagedData(path + ": header: expected at most " +
                       std::to_string(limit) + " bytes, got " +
                       std::to_string(headerBytes));
  JsonLimits limits{maximumHeaderBytes, /*depth=*/4};
  Header header{path, {}, 8 + headerBytes, size - 8 - headerBytes};
  if (Status status = parseJson(path + ": header", data + 8, headerBytes,
                                limits, header.json);
      !status.ok())
    return status;
  if (!header.json.is_object())
    return damagedData(path + ": header: expected an object, got " +
                       jsonText(&header.json));
  result = std::move(header);
  return {};
}

static Status readStorage(const std::string &place, const Json &description,
                          schema::Storage &result) {
  const Json *type = findMember(description, "dtype");
  std::string names;
  for (schema::Storage storage :
       {schema::Storage::F32, schema::Storage::F16, schema::Storage::BF16,
        schema::Storage::F8_E4M3}) {
    const char *name = storageInfo(storage)->name;
    if (type && *type == name) {
      result = storage;
      return {};
    }
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return Status::badData(place + "dtype: expected one of: " + names + ", got " +
                         jsonText(type) +
                         "; convert the weights to one of these");
}

/// Reads an array of integers from 0 to INT64_MAX, `count` of them unless that
/// is 0.
static Status readIntegers(const std::string &place, const Json &description,
                           const char *key, size_t count,
                           std::vector<int64_t> &result) {
  const Json *array = findMember(description, key);
  if (!array || !array->is_array() || (count && array->size() != count))
    return damagedData(
        place + key + ": expected an array of " +
        (count ? std::to_string(count) + " integers" : "integers") + ", got " +
        jsonText(array));
  for (const Json &element : *array) {
    const auto *value = element.get_ptr<const Json::number_unsigned_t *>();
    if (!value || *value > INT64_MAX)
      return damagedData(place + key + ": expected integers from 0, got " +
                         jsonText(&element));
    result.push_back(static_cast<int64_t>(*value));
  }
  return {};
}

static Status readTensor(const Header &header, const std::string &name,
                         const Json &description, schema::TensorT &tensor) {
  std::string place = header.path + ": tensor " + quoteText(name) + ": ";
  tensor.name = name;
  if (Status status = readStorage(place, description, tensor.storage);
      !status.ok())
    return status;
  if (Status status =
          readIntegers(place, description, "shape", 0, tensor.shape);
      !status.ok())
    return status;
  std::vector<int64_t> offsets;
  if (Status status =
          readIntegers(place, description, "data_offsets", 2, offsets);
      !status.ok())
    return status;
  auto begin = static_cast<uint64_t>(offsets[0]);
  auto end = static_cast<uint64_t>(offsets[1]);
  if (begin > end || end > header.dataBytes)
    return damagedData(
        place + "data_offsets: expected a range within the " +
        std::to_string(header.dataBytes) + " bytes after the header, got [" +
        std::to_string(begin) + ", " + std::to_string(end) + "]");
  tensor.offset = header.dataOffset + begin;
  tensor.bytes = end - begin;
  // A scalar has no dimensions and one element.
  std::optional<uint64_t> bytes =
      tensor.shape.empty() ? tensorBytes(tensor.storage, {1})
                           : tensorBytes(tensor.storage, tensor.shape);
  if (!bytes || *bytes != tensor.bytes)
    return damagedData(place + "data_offsets: expected " +
                       (bytes ? std::to_string(*bytes) : "less than 2^63") +
                       " bytes for shape " + shapeText(tensor.shape) + " in " +
                       storageInfo(tensor.storage)->name + ", got " +
                       std::to_string(tensor.bytes));
  return {};
}

/// Checks that the tensors from `first` on fill the file from the header to the
/// end.
static Status checkContiguous(const Header &header, const Tensors &tensors,
                              size_t first) {
  std::vector<const schema::TensorT *> order;
  for (size_t i = first; i < tensors.size(); ++i)
    order.push_back(tensors[i].get());
  std::sort(order.begin(), order.end(),
            [](const auto *left, const auto *right) {
              return std::tie(left->offset, left->bytes, left->name) <
                     std::tie(right->offset, right->bytes, right->name);
            });
  uint64_t end = header.dataOffset;
  for (const schema::TensorT *tensor : order) {
    if (tensor->offset != end)
      return damagedData(header.path + ": tensor " + quoteText(tensor->name) +
                         ": data_offsets: expected to begin at " +
                         std::to_string(end - header.dataOffset) +
                         ", where the tensor before it ends, got " +
                         std::to_string(tensor->offset - header.dataOffset));
    end += tensor->bytes;
  }
  uint64_t used = end - header.dataOffset;
  if (used != header.dataBytes)
    return damagedData(header.path + ": expected " + std::to_string(used) +
                       " bytes after the header, got " +
                       std::to_string(header.dataBytes));
  return {};
}

Status tcc::parseSafetensors(const std::string &path, const uint8_t *data,
                             size_t size, int32_t file, Tensors &result) {
  if (Status status = refuseForeignFile(path, data, size); !status.ok())
    return status;
  Header header;
  if (Status status = parseHeader(path, data, size, header); !status.ok())
    return status;
  size_t first = result.size();
  for (const auto &[name, description] : header.json.items()) {
    if (name == "__metadata__")
      continue;
    auto tensor = std::make_unique<schema::TensorT>();
    if (Status status = readTensor(header, name, description, *tensor);
        !status.ok())
      return status;
    tensor->file = file;
    result.push_back(std::move(tensor));
  }
  return checkContiguous(header, result, first);
}

//===----------------------------------------------------------------------===//
// A folder of files
//===----------------------------------------------------------------------===//

/// Maps the file `name` in `folder` and appends it and its tensors.
static Status appendFile(const std::string &folder, const std::string &name,
                         ModelFile &model) {
  std::string path = (fs::path(folder) / name).string();
  MappedFile mapped;
  if (Status status = MappedFile::open(path, mapped); !status.ok())
    return status;
  auto file = std::make_unique<schema::FileT>();
  file->path = name;
  file->bytes = mapped.size();
  auto index = static_cast<int32_t>(model.model.files.size());
  model.model.files.push_back(std::move(file));
  model.inputs.push_back(path);
  return parseSafetensors(path, mapped.data(), mapped.size(), index,
                          model.model.tensors);
}

namespace {
/// Which file holds which tensor, both in order of their names.
using WeightMap = std::map<std::string, std::string>;
} // namespace

static Status readIndex(const std::string &path, WeightMap &result) {
  Json index;
  if (Status status = parseJsonFile(path, {size_t{64} << 20, 8}, index);
      !status.ok())
    return status;
  const Json *map = findMember(index, "weight_map");
  if (!map || !map->is_object() || map->empty())
    return damagedData(path +
                       ": weight_map: expected an object that is not "
                       "empty, got " +
                       jsonText(map));
  for (const auto &[tensor, file] : map->items()) {
    const auto *name = file.get_ptr<const std::string *>();
    bool isPlain =
        name && !name->empty() && *name != "." && *name != ".." &&
        name->find_first_of(std::string("/\\\0", 3)) == std::string::npos;
    if (!isPlain)
      return damagedData(path + ": weight_map: " + quoteText(tensor) +
                         ": expected the name of a file in the same "
                         "folder, got " +
                         jsonText(&file));
    result[tensor] = *name;
  }
  return {};
}

/// BadData: "<path>: weight_map: expected <expected>, got <got>".
static Status indexError(const std::string &path, const std::string &expected,
                         const std::string &got) {
  return damagedData(path + ": weight_map: expected " + expected + ", got " +
                     got);
}

static Status duplicateTensor(const std::string &path,
                              const std::string &tensor,
                              const std::string &first,
                              const std::string &second) {
  return indexError(path, "tensor " + quoteText(tensor) + " in one file",
                    "it in " + first + " and " + second);
}

static Status checkPlace(const std::string &path, const std::string &tensor,
                         const std::string &file, const WeightMap &found) {
  auto entry = found.find(tensor);
  if (entry != found.end() && entry->second == file)
    return {};
  return indexError(path, "tensor " + quoteText(tensor) + " in " + file,
                    entry == found.end() ? "no tensor of this name"
                                         : "it in " + entry->second);
}

/// Checks that every tensor is in the file that the index names.
static Status checkIndex(const std::string &path, const WeightMap &map,
                         const schema::ModelT &model) {
  WeightMap found;
  for (const auto &tensor : model.tensors) {
    const std::string &file =
        model.files[static_cast<size_t>(tensor->file)]->path;
    auto [entry, isNew] = found.emplace(tensor->name, file);
    if (!isNew)
      return duplicateTensor(path, tensor->name, entry->second, file);
    if (map.count(tensor->name) == 0)
      return indexError(path, "every tensor",
                        "no entry for " + quoteText(tensor->name));
  }
  for (const auto &[tensor, file] : map)
    if (Status status = checkPlace(path, tensor, file, found); !status.ok())
      return status;
  return {};
}

Status tcc::readSafetensorsFolder(const std::string &folder, ModelFile &model) {
  std::string path =
      (fs::path(folder) / "model.safetensors.index.json").string();
  std::error_code error;
  if (!fs::exists(path, error))
    return appendFile(folder, "model.safetensors", model);
  WeightMap map;
  if (Status status = readIndex(path, map); !status.ok())
    return status;
  model.inputs.push_back(path);
  std::map<std::string, bool> files;
  for (const auto &[tensor, file] : map)
    files[file] = true;
  for (const auto &[file, used] : files) {
    if (!fs::exists(fs::path(folder) / file, error))
      return {Status::Code::NoInput,
              path + ": weight_map: expected the file " + quoteText(file) +
                  " in the same folder, got no such file; download it, too"};
    if (Status status = appendFile(folder, file, model); !status.ok())
      return status;
  }
  return checkIndex(path, map, model.model);
}
