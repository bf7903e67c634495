// Code as code generation makes it and a model.bin holds it.

#ifndef TCC_COMPILER_TARGET_COMPILEDIMAGE_H
#define TCC_COMPILER_TARGET_COMPILEDIMAGE_H

#include "runtime/schema/Executable_generated.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mlir::tcc {

/// One kernel of an image.
struct CompiledKernel {
  std::string name;
  std::string configuration; ///< What the cost model chose, as text.
  uint64_t entry = 0; ///< Bytes from the start of the image; x86-64 only.
  // GPUs only; as in the schema.
  uint32_t threads = 0; ///< Of a block.
  uint32_t blocks = 0;
  uint32_t cluster = 1;
  uint32_t sharedBytes = 0;
  bool waits = false;
  std::vector<::tcc::schema::TensorMap> tensorMaps = {};
};

/// A text to return beside the code.
enum class ImageText { None, Llvm, Assembly };

/// The code of all kernels. The same module and target give the same bytes.
///
/// X86_64: machine code and constants, position-independent, without
/// relocations or undefined symbols, to be mapped read-execute at a multiple of
/// 4096. H100: PTX for sm_90a.
struct CompiledImage {
  ::tcc::schema::TargetKind kind = ::tcc::schema::TargetKind::X86_64;
  std::vector<uint8_t> code;
  std::vector<CompiledKernel> kernels; ///< In the order of the module.
  std::string cpu; ///< LLVM's name of the CPU or GPU tuned for.
  std::vector<std::string> features; ///< What the code needs of it.
  std::string text;                  ///< Of the kind that was asked for.
};

} // namespace mlir::tcc

#endif // TCC_COMPILER_TARGET_COMPILEDIMAGE_H
