// Brings tiles of a weight in blocks to shared memory, as 16-bit operands of
// tensor cores.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_GEMMDECODER_H
#define TCC_COMPILER_CODEGEN_NVPTX_GEMMDECODER_H

#include "compiler/codegen/nvptx/GemmLayout.h"
#include "compiler/target/h100/PackedRows.h"

namespace mlir::tcc::nvptx {

/// For all threads of a warpgroup: each decodes parts of 16 bytes, the same
/// part of a row of several rows.
class GemmDecoder {
public:
  /// \param memory Where the weight begins.
  GemmDecoder(Emitter &emitter, kernel::LinearOp op, Value memory,
              const GemmLayout &layout);

  /// Loads what this thread decodes of step `step` along K of the rows from
  /// `firstRow` on: registers for `decode`. What is behind the last row is any
  /// row, what is beyond K is zero.
  SmallVector<Value> load(Value firstRow, Value step);

  /// Decodes what was loaded, rounding each element once, to the tile at
  /// `tile`, in swizzled rows.
  void decode(ValueRange loaded, Value tile);

private:
  int64_t blockHeaders() const { return blockHeadersOf(weight.storage); }
  /// Elements of 16 bytes.
  int64_t partElements() const { return 128 / bitsOf(weight.storage); }
  int64_t rowParts() const { return gemmDepth / partElements(); }
  int64_t parts() const { return tileColumns * rowParts() / warpgroupThreads; }
  Value rowOfPart(int64_t part);
  Value addressOf(size_t plane, Value row, Value bytes);
  Value decodePair(Value word, int64_t pair, ValueRange headers);

  Emitter &emitter;
  Hopper hopper;
  const h100::RowLayout weight;
  const Type element;
  const int64_t tileColumns;
  Value memory;
  Value row, place; ///< Of this thread's first part: in the tile, in the row.
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_GEMMDECODER_H
