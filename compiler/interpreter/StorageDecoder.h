// Decodes what a checkpoint stores.
//
// Written from the definitions of the formats (IEEE 754 for f16; the OCP's
// for e4m3; GGUF's block structures), without looking at the compiler's own decoders, which are compared
// with these.

#ifndef TCC_COMPILER_INTERPRETER_STORAGEDECODER_H
#define TCC_COMPILER_INTERPRETER_STORAGEDECODER_H

#include "mlir/IR/Types.h"

#include <cstdint>

namespace mlir::tcc {

/// Bytes and elements of the smallest unit of a storage type.
struct StorageUnit {
  int64_t elements = 0, bytes = 0;
};

/// The unit of the storage `type`; without elements if it is not a storage type.
StorageUnit storageUnit(Type type);

/// Decodes `count` elements, a multiple of the unit's, from `bytes` to `result`.
/// Numbers are little-endian, and `bytes` need not be aligned.
void decode(Type type, const uint8_t *bytes, int64_t count, double *result);

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_STORAGEDECODER_H
