// Files that are not what they were taken for.

#ifndef TCC_FRONTENDS_CHECKPOINT_FILEKIND_H
#define TCC_FRONTENDS_CHECKPOINT_FILEKIND_H

#include "runtime/support/Status.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace tcc {

/// Names a file that often takes the place of weights or of a description: a
/// Git-LFS pointer, a pickle, a model.bin. Ok for everything else.
Status refuseForeignFile(const std::string &path, const uint8_t *data,
                         size_t size);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_FILEKIND_H
