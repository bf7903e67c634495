// Safetensors: one file, and the index over several.
//
// Source: README.md and safetensors/src/tensor.rs of huggingface/safetensors.

#ifndef TCC_FRONTENDS_CHECKPOINT_SAFETENSORS_H
#define TCC_FRONTENDS_CHECKPOINT_SAFETENSORS_H

#include "frontends/model/ModelFile.h"

namespace tcc {

/// Appends the tensors of one file to `result`, as file number `file`. `path`
/// is for messages; the file's `size` bytes lie at `data`.
///
/// The bytes of its tensors follow each other without a gap from the end of the
/// header to the end of the file, as the format demands.
Status parseSafetensors(const std::string &path, const uint8_t *data,
                        size_t size, int32_t file,
                        std::vector<std::unique_ptr<schema::TensorT>> &result);

/// Describes the files and tensors of the checkpoint in `folder`: those that
/// model.safetensors.index.json names if it exists, else model.safetensors.
/// Adds what it has read to `model.inputs`.
Status readSafetensorsFolder(const std::string &folder, ModelFile &model);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_SAFETENSORS_H
