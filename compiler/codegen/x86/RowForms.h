// Rows of a page, as the cache has them, in the forms that products read.

#ifndef TCC_COMPILER_CODEGEN_X86_ROWFORMS_H
#define TCC_COMPILER_CODEGEN_X86_ROWFORMS_H

#include "compiler/codegen/x86/Emitter.h"

namespace mlir::tcc::x86 {

/// Some columns of rows that lie one after another.
struct SourceColumns {
  Value begin;      ///< Row 0, the first of the columns.
  int64_t rowBytes; ///< From one row to the next.
  int64_t columns;  ///< So many.
};

/// Writes `rows` rows of bf16 to `target` as f32, [rows][columns]. Columns are
/// whole vectors of pairs.
void emitWidened(Emitter &emitter, const SourceColumns &source, Value rows,
                 Value target);

/// Writes `rows` rows of bf16 to `target` as pairs of rows, [rows/2][columns][2].
/// Rows are even, columns whole vectors of pairs.
void emitPairedRows(Emitter &emitter, const SourceColumns &source, Value rows,
                    Value target);

/// Writes `rows` rows of `element`, f32 or bf16, to `target` as f32 with rows and
/// columns exchanged, [padded][rows], with zeros behind the columns that there
/// are. `rows` and `padded` are whole vectors. Pairs of bf16 keep their bits if
/// they are called f32.
void emitTransposed(Emitter &emitter, const SourceColumns &source, Type element,
                    int64_t rows, int64_t padded, Value target);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_CODEGEN_X86_ROWFORMS_H
