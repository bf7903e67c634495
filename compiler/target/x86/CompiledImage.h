// Machine code as code generation makes it and a model.bin holds it.

#ifndef TCC_COMPILER_TARGET_X86_COMPILEDIMAGE_H
#define TCC_COMPILER_TARGET_X86_COMPILEDIMAGE_H

#include <cstdint>
#include <string>
#include <vector>

namespace mlir::tcc::x86 {

/// One kernel of an image.
struct CompiledKernel {
  std::string name;
  uint64_t entry = 0;        ///< Bytes from the start of the image.
  std::string configuration; ///< What the cost model chose, as text.
};

/// Machine code and constants of all kernels: position-independent, without
/// relocations or undefined symbols, to be mapped read-execute at a multiple of
/// 4096. The same module and CPU give the same bytes.
struct CompiledImage {
  std::vector<uint8_t> code;
  std::vector<CompiledKernel> kernels; ///< In the order of the module.
  std::string cpu;                     ///< LLVM's name of the CPU tuned for.
  std::vector<std::string>
      features;     ///< What the code needs, as in /proc/cpuinfo.
  std::string text; ///< Of the kind that was asked for.
};

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_TARGET_X86_COMPILEDIMAGE_H
