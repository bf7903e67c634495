// A checkpoint of Hugging Face as a folder.

#ifndef TCC_FRONTENDS_CHECKPOINT_HUGGINGFACEFOLDER_H
#define TCC_FRONTENDS_CHECKPOINT_HUGGINGFACEFOLDER_H

#include "frontends/model/ModelFile.h"

namespace tcc {

/// Describes the checkpoint in `folder`. Without weights, no safetensors are
/// looked for, and tokenizer.json may be absent.
///
/// The result is not yet held against the architecture (`checkModel`).
Status readHuggingFaceFolder(const std::string &folder, bool withoutWeights,
                             ModelFile &result);

/// Describes what the config.json at `path` alone says: a model without weights
/// and without a tokenizer.
Status readHuggingFaceConfig(const std::string &path, ModelFile &result);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_HUGGINGFACEFOLDER_H
