// The one place where a description is held against its architecture, whatever
// file it comes from.

#ifndef TCC_FRONTENDS_MODEL_CHECKMODEL_H
#define TCC_FRONTENDS_MODEL_CHECKMODEL_H

#include "frontends/model/ModelFile.h"
#include "runtime/support/Status.h"

#include <string>

namespace tcc {

/// The version of model.fbs that this source writes, and the only one it reads.
constexpr uint32_t modelFormatVersion = 2;

/// Checks everything that ModelFile promises of `file`, which comes from `path`
/// (a file or a folder, for messages). Its tensors may be unsorted.
Status checkModel(const std::string &path, const ModelFile &file);

/// Sorts the tensors of `model` by name, as the rest of the compiler expects.
void sortTensors(schema::ModelT &model);

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_CHECKMODEL_H
