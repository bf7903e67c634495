// Compiles kernels with LLVM, in this process: IR, then PTX.

#include "compiler/codegen/nvptx/CompilePtx.h"

#include "compiler/codegen/BackEnd.h"
#include "compiler/codegen/nvptx/Kernels.h"
#include "compiler/codegen/nvptx/Passes.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

static constexpr const char *tripleName = "nvptx64-nvidia-cuda";
static constexpr const char *processor = "sm_90a";
/// PTX ISA 8.0 is the first with sm_90a; drivers from CUDA 12.0 on take it.
static constexpr const char *version = "+ptx80";

static std::unique_ptr<llvm::TargetMachine> createTargetMachine() {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
  std::string error;
  llvm::Triple triple(tripleName);
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  assert(target && "LLVM was built with its back end for PTX");
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, processor, version, llvm::TargetOptions(), std::nullopt,
      std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

FailureOr<CompiledImage> nvptx::compilePtx(ModuleOp module,
                                           ReproducerStreamFactory reproducer,
                                           ImageText text) {
  CompiledImage image;
  image.kind = ::tcc::schema::TargetKind::H100;
  image.cpu = processor;
  OwningOpRef<ModuleOp> kernels = copyKernels(module, image.kernels);
  for (auto [function, compiled] :
       llvm::zip(kernels->getOps<func::FuncOp>(), image.kernels))
    compiled.threads = static_cast<uint32_t>(threadsOf(findKernel(function)));
  PassManager manager(module.getContext());
  manager.enableCrashReproducerGeneration(std::move(reproducer));
  buildGpuCodegenPhase(manager);
  if (failed(manager.run(*kernels)))
    return failure();

  std::unique_ptr<llvm::TargetMachine> machine = createTargetMachine();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> translated =
      translate(*kernels, context, *machine);
  if (!translated)
    return failure();
  optimise(*translated, *machine);
  if (text == ImageText::Llvm)
    llvm::raw_string_ostream(image.text) << *translated;
  llvm::SmallVector<char, 0> ptx =
      emitFile(*translated, *machine, llvm::CodeGenFileType::AssemblyFile);
  image.code.assign(ptx.begin(), ptx.end());
  if (text == ImageText::Assembly)
    image.text.assign(ptx.begin(), ptx.end());
  return image;
}
