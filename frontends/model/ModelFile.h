// A model description in memory, from whatever file it comes.

#ifndef TCC_FRONTENDS_MODEL_MODELFILE_H
#define TCC_FRONTENDS_MODEL_MODELFILE_H

#include "frontends/model/Model_generated.h"
#include "runtime/support/File.h"
#include "runtime/support/Status.h"

#include <string>
#include <vector>

namespace tcc {

/// A model description and the folder against which its file names are
/// resolved.
///
/// Everything in it has been checked: every tensor that the architecture needs
/// is present exactly once with the shape that the hyperparameters give it, its
/// bytes lie within its file and overlap no other tensor's, and sizes of
/// tensors fit in int64_t. Either all tensors have a file, or none has.
struct ModelFile {
  schema::ModelT model;
  std::string folder;
  /// Every file that it was read from, and those of its weights.
  std::vector<std::string> inputs;
  std::vector<std::string> notes; ///< What the user should know of it.

  /// The path of the weight file `index` of `model.files`.
  std::string weightPath(size_t index) const;
};

/// Loads `path`: a model.fbs, a GGUF file, a Hugging Face directory, or, if
/// `withoutWeights`, also a config.json alone.
///
/// What is loaded from a directory equals what is loaded from the model.fbs
/// made from it, but for the paths. With `withoutWeights` no tensor has a file.
///
/// \returns NoInput if there is nothing at `path`; BadData for everything that
///          is malformed, inconsistent or not supported.
Status loadModel(const std::string &path, bool withoutWeights,
                 ModelFile &result);

/// Loads the model.fbs in the `size` bytes at `data`, the contents of the file
/// `path`, whose weights are not opened.
Status readModel(const std::string &path, const uint8_t *data, size_t size,
                 ModelFile &result);

/// Refuses `output` if it is a directory, or one of the files that `file` was
/// read from or points to.
Status checkOutput(const ModelFile &file, const std::string &output);

/// Writes `file` as model.fbs to `path`; file names become relative to the
/// folder of `path`.
Status writeModel(const ModelFile &file, const std::string &path);

/// The mapped weights of a model; opened once, read by many threads.
class ModelWeights {
public:
  /// Maps every file of `file` and checks its size.
  static Status open(const ModelFile &file, ModelWeights &result);

  /// The bytes of `tensor`, which must belong to the model that was opened and
  /// have a file. They are not aligned to anything.
  const uint8_t *data(const schema::TensorT &tensor) const {
    return files[static_cast<size_t>(tensor.file)].data() + tensor.offset;
  }

private:
  std::vector<MappedFile> files;
};

/// The tensor called `name`, or null.
const schema::TensorT *findTensor(const schema::ModelT &model,
                                  const std::string &name);

/// Elements of tensors but scales; tied tensors are there once.
struct Parameters {
  uint64_t model = 0;
  uint64_t active = 0;     ///< Of the model: those that one token uses.
  uint64_t prediction = 0; ///< Of the module for multi-token prediction.
};
Parameters countParameters(const schema::ModelT &model);

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_MODELFILE_H
