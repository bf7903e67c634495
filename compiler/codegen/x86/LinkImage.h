// Links one object file to a flat image.

#ifndef TCC_COMPILER_CODEGEN_X86_LINKIMAGE_H
#define TCC_COMPILER_CODEGEN_X86_LINKIMAGE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mlir::tcc::x86 {

/// Machine code and constants in one range of bytes that runs at any multiple of
/// 4096, without relocations.
struct LinkedImage {
  std::vector<uint8_t> bytes;
  std::vector<uint64_t> entries; ///< Offsets of the symbols that were asked for.
};

/// Links `object`, position-independent x86-64 ELF, and finds `symbols`.
///
/// Fails with a message that names the symbol if the object refers to a symbol
/// that it does not define, or to an address that is known only when the image is
/// mapped, and if it has data that is written.
llvm::Expected<LinkedImage> linkImage(llvm::MemoryBufferRef object,
                                      llvm::ArrayRef<std::string> symbols);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_CODEGEN_X86_LINKIMAGE_H
