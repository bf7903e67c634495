// A model from whatever file it comes: recognises the format by its contents.

#include "frontends/checkpoint/FileKind.h"
#include "frontends/checkpoint/FiniteTensors.h"
#include "frontends/checkpoint/GgufLlama.h"
#include "frontends/checkpoint/HuggingFaceFolder.h"
#include "frontends/model/CheckModel.h"
#include "frontends/model/ModelFile.h"
#include "runtime/text/Tokenizer.h"

#include <cstring>
#include <filesystem>

using namespace tcc;
namespace fs = std::filesystem;

/// Removes files and places of weights: a description remains.
static void dropWeights(schema::ModelT &model) {
  model.files.clear();
  for (auto &tensor : model.tensors) {
    tensor->file = -1;
    tensor->offset = 0;
  }
}

/// Adds the files of weights to `file.inputs`, so that no output replaces them.
static void addUnreadWeights(ModelFile &file) {
  for (size_t i = 0; i < file.model.files.size(); ++i)
    file.inputs.push_back(file.weightPath(i));
  if (!file.model.files.empty())
    return;
  std::error_code error;
  for (fs::directory_iterator entry(file.folder, error), end;
       !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (name.find(".safetensors") != std::string::npos)
      file.inputs.push_back((fs::path(file.folder) / name).string());
  }
}

static bool beginsWith(const MappedFile &file, size_t offset,
                       const char *magic) {
  size_t length = strlen(magic);
  return file.size() >= offset + length &&
         memcmp(file.data() + offset, magic, length) == 0;
}

/// Whether the first byte that is not white space opens a JSON object.
static bool looksLikeJson(const MappedFile &file) {
  for (size_t i = 0; i < file.size(); ++i)
    if (!strchr(" \t\r\n", file.data()[i]) || file.data()[i] == 0)
      return file.data()[i] == '{';
  return false;
}

static Status readConfigAlone(const std::string &path, bool withoutWeights,
                              ModelFile &result) {
  if (!withoutWeights)
    return Status::badData(
        path + ": expected a model, got JSON, which has no weights; "
               "name its folder, or use --no-weights");
  return readHuggingFaceConfig(path, result);
}

/// Reads a single file of a format that its first bytes tell.
static Status readFile(const std::string &path, bool withoutWeights,
                       ModelFile &result) {
  MappedFile file;
  if (Status status = MappedFile::open(path, file); !status.ok())
    return status;
  if (Status status = refuseForeignFile(path, file.data(), file.size());
      !status.ok())
    return status;
  if (beginsWith(file, 0, "GGUF"))
    return readGgufLlama(path, file.data(), file.size(), withoutWeights,
                         result.model);
  if (beginsWith(file, 4, "TCCM"))
    return readModel(path, file.data(), file.size(), result);
  if (beginsWith(file, 8, "{"))
    return Status::badData(path +
                           ": expected a model, got one safetensors file; "
                           "name the folder that it is in");
  if (looksLikeJson(file))
    return readConfigAlone(path, withoutWeights, result);
  return Status::badData(path +
                         ": expected a model.fbs, a GGUF file or a "
                         "folder of Hugging Face, got an unknown format; "
                         "convert the model to one of these");
}

/// Refuses what tcc-run would refuse in the model.bin.
static Status checkTokenizer(const std::string &path,
                             const schema::TokenizerT *tokenizer) {
  if (!tokenizer)
    return {};
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(schema::Tokenizer::Pack(builder, tokenizer));
  std::unique_ptr<rt::Tokenizer> created;
  return rt::Tokenizer::create(
      *flatbuffers::GetRoot<schema::Tokenizer>(builder.GetBufferPointer()),
      path, created);
}

Status tcc::loadModel(const std::string &path, bool withoutWeights,
                      ModelFile &result) {
  ModelFile file;
  std::error_code error;
  bool isFolder = fs::is_directory(path, error);
  Status status = isFolder ? readHuggingFaceFolder(path, withoutWeights, file)
                           : readFile(path, withoutWeights, file);
  if (!status.ok())
    return status;
  if (!isFolder) {
    file.folder = fs::path(path).parent_path().string();
    file.inputs = {path};
  }
  if (file.folder.empty())
    file.folder = ".";
  if (withoutWeights) {
    addUnreadWeights(file);
    dropWeights(file.model);
  }
  if (status = checkModel(path, file); !status.ok())
    return status;
  if (status = checkTokenizer(path, file.model.tokenizer.get()); !status.ok())
    return status;
  sortTensors(file.model);
  if (isFolder && !withoutWeights)
    if (status = checkFiniteTensors(file); !status.ok())
      return status;
  if (!withoutWeights && file.model.tensors[0]->file < 0)
    return Status::badData(path + ": expected a description with weights, got "
                                  "one without; use --no-weights");
  result = std::move(file);
  return {};
}
