// model.fbs as untrusted input.

#include "frontends/model/CheckModel.h"
#include "frontends/model/ModelFile.h"

#include <filesystem>

using namespace tcc;

/// FlatBuffers 2.0.8 aborts at 2 GiB; a description is a few megabytes.
static constexpr size_t maximumBytes = size_t{1} << 30;

namespace {
/// What unpacking would allocate, and whether it reads aligned numbers. Offsets
/// may share what they point to, so that a small file could unpack to
/// terabytes; ours share nothing, and therefore never need more than the file
/// has.
class UnpackedSize {
public:
  template <typename T>
  void add(const flatbuffers::Vector<T> *vector) {
    if (!vector)
      return;
    bytes += uint64_t{vector->size()} *
             flatbuffers::IndirectHelper<T>::element_stride;
    // A table has the offset of its vtable, that of a string or a vector, and
    // the length of the latter.
    if (!std::is_arithmetic_v<T> && !std::is_same_v<T, const schema::Merge *>)
      bytes += uint64_t{12} * vector->size();
    if (std::is_arithmetic_v<T> &&
        reinterpret_cast<uintptr_t>(vector->Data()) % sizeof(T) != 0)
      isAligned = false;
  }
  void add(const flatbuffers::String *string) {
    if (string)
      bytes += string->size();
  }
  void add(const schema::Tokenizer *tokenizer);
  void add(const schema::Model &model);

  bool isAligned = true; ///< The Verifier aligns all but elements of vectors.
  uint64_t bytes = 0;    ///< Cannot overflow: fewer than 2^31 terms below 2^31.
};
} // namespace

void UnpackedSize::add(const schema::Tokenizer *tokenizer) {
  if (!tokenizer)
    return;
  add(tokenizer->tokens());
  for (const schema::Token *token : *tokenizer->tokens()) {
    add(token->bytes());
    add(token->match());
    add(token->decoded());
  }
  add(tokenizer->merges());
  for (const auto *steps :
       {tokenizer->normalizer(), tokenizer->pre_tokenizer()}) {
    add(steps);
    for (size_t i = 0; steps && i < steps->size(); ++i) {
      add(steps->Get(i)->pattern());
      add(steps->Get(i)->text());
    }
  }
  add(tokenizer->beginning_ids());
}

void UnpackedSize::add(const schema::Model &model) {
  add(model.name());
  add(model.files());
  for (const schema::File *file : *model.files())
    add(file->path());
  add(model.tensors());
  for (const schema::Tensor *tensor : *model.tensors()) {
    add(tensor->name());
    add(tensor->shape());
  }
  if (const schema::Llama *llama = model.architecture_as_Llama())
    add(llama->rotary()->inverse_frequencies());
  if (const schema::DeepSeek *deepSeek = model.architecture_as_DeepSeek())
    add(deepSeek->rotary()->inverse_frequencies());
  add(model.tokenizer());
  add(model.end_ids());
  add(model.provenance());
}

/// Checks that `size` bytes at `data` are a FlatBuffer of our schema that can
/// be unpacked.
static Status verify(const std::string &path, const uint8_t *data,
                     size_t size) {
  if (size < 8 || !schema::ModelBufferHasIdentifier(data))
    return Status::badData(path + ": not a model.fbs: expected the identifier "
                                  "'TCCM'; import the checkpoint first");
  if (size > maximumBytes)
    return Status::badData(path + ": expected at most " +
                           std::to_string(maximumBytes) + " bytes, got " +
                           std::to_string(size) +
                           "; import the checkpoint again");
  // Every table takes at least four bytes, so that the limit cannot be reached
  // by a file that shares none.
  flatbuffers::Verifier verifier(data, size, /*max_depth=*/16,
                                 static_cast<flatbuffers::uoffset_t>(size));
  std::string damaged = "; the file is truncated or damaged: import the "
                        "checkpoint again";
  if (!schema::VerifyModelBuffer(verifier))
    return Status::badData(path + ": not a valid FlatBuffer" + damaged);
  UnpackedSize unpacked;
  unpacked.add(*schema::GetModel(data));
  if (!unpacked.isAligned)
    return Status::badData(
        path + ": expected every number at a multiple of its size" + damaged);
  if (unpacked.bytes > size)
    return Status::badData(
        path + ": expected every string and vector to be used once, got " +
        std::to_string(unpacked.bytes) + " bytes in a file of " +
        std::to_string(size) + damaged);
  return {};
}

Status tcc::readModel(const std::string &path, const uint8_t *data, size_t size,
                      ModelFile &result) {
  if (Status status = verify(path, data, size); !status.ok())
    return status;
  ModelFile file;
  schema::GetModel(data)->UnPackTo(&file.model);
  file.folder = std::filesystem::path(path).parent_path().string();
  if (file.folder.empty())
    file.folder = ".";
  file.inputs = {path};
  if (Status status = checkModel(path, file); !status.ok())
    return status;
  sortTensors(file.model);
  result = std::move(file);
  return {};
}
