// Compiles kernels to one flat image of machine code.

#ifndef TCC_COMPILER_CODEGEN_X86_COMPILEIMAGE_H
#define TCC_COMPILER_CODEGEN_X86_COMPILEIMAGE_H

#include "mlir/IR/BuiltinOps.h"

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
  std::vector<std::string> features;   ///< What the code needs, as in /proc/cpuinfo.
  std::string text;                    ///< Of the kind that was asked for.
};

/// A text to return beside the image.
enum class ImageText { None, Llvm, Assembly };

/// Compiles every function of `module` that holds a kernel op on memrefs, for the
/// CPU `march`; the module stays as it is. A kernel has the signature
///
///   void(void *const *arguments, const int64_t *sizes, int64_t begin,
///        int64_t end, void *scratch)
///
/// of `Launch` in runtime/schema/Executable.fbs, with the arguments of the
/// function in their order. Failures are diagnostics that name op or symbol.
///
/// \param reproducer The file for the IR and the passes if one of them fails or
///                   crashes.
FailureOr<CompiledImage> compileImage(ModuleOp module, llvm::StringRef march,
                                      llvm::StringRef reproducer,
                                      ImageText text = ImageText::None);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_CODEGEN_X86_COMPILEIMAGE_H
