// Tensors that decide more than one sum: a NaN in them is worth a message.

#ifndef TCC_FRONTENDS_CHECKPOINT_FINITETENSORS_H
#define TCC_FRONTENDS_CHECKPOINT_FINITETENSORS_H

#include "frontends/model/ModelFile.h"

namespace tcc {

/// Checks that scales and biases of routers are finite. `file` has weights, and
/// `checkModel` accepts it.
Status checkFiniteTensors(const ModelFile &file);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_FINITETENSORS_H
