#include "compiler/target/StoredWeights.h"

using namespace mlir;
using namespace mlir::tcc;

using transformer::BlockFormat;
using transformer::BlockType;
using transformer::ScaledType;

Storage tcc::storageOf(Type element) {
  if (auto block = dyn_cast<BlockType>(element)) {
    switch (block.getFormat()) {
    case BlockFormat::Q8_0:
      return Storage::Q8_0;
    case BlockFormat::Q4_0:
      return Storage::Q4_0;
    case BlockFormat::Q4_1:
      return Storage::Q4_1;
    }
  }
  if (isa<ScaledType>(element))
    return Storage::E4M3;
  if (element.isF32())
    return Storage::F32;
  return element.isF16() ? Storage::F16 : Storage::BF16;
}

int64_t tcc::bitsOf(Storage storage) {
  switch (storage) {
  case Storage::F32:
    return 32;
  case Storage::F16:
  case Storage::BF16:
    return 16;
  case Storage::Q8_0:
  case Storage::E4M3:
    return 8;
  case Storage::Q4_0:
  case Storage::Q4_1:
    return 4;
  }
  llvm_unreachable("every storage has a size");
}

int64_t tcc::blockHeadersOf(Storage storage) {
  if (storage == Storage::Q4_1)
    return 2;
  return storage == Storage::Q8_0 || storage == Storage::Q4_0 ? 1 : 0;
}

int64_t tcc::biasOf(Storage storage) {
  if (storage == Storage::Q8_0)
    return 128;
  return storage == Storage::Q4_0 ? 8 : 0;
}

std::pair<const SourceRows *, int64_t> SourceMatrix::find(int64_t row) const {
  row += firstRow;
  for (const SourceRows &source : sources) {
    if (row < source.rows)
      return {&source, source.order.storedRow(row)};
    row -= source.rows;
  }
  llvm_unreachable("sources have as many rows as the weight");
}
