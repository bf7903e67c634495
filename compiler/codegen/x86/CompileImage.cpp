// Compiles kernels with LLVM, in this process: IR, object file, flat image.

#include "compiler/codegen/x86/CompileImage.h"

#include "compiler/codegen/BackEnd.h"
#include "compiler/codegen/x86/Kernels.h"
#include "compiler/codegen/x86/LinkImage.h"
#include "compiler/codegen/x86/Passes.h"
#include "compiler/target/x86/Target.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

/// Says of the functions of `module` how they are to be compiled.
static void setAttributes(llvm::Module &module,
                          const llvm::TargetMachine &machine) {
  module.setPICLevel(llvm::PICLevel::BigPIC);
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    // LLVM would otherwise split vectors for the sake of the clock.
    function.addFnAttr("prefer-vector-width", "512");
    function.addFnAttr(llvm::Attribute::NoUnwind);
    // There is no library to call: loops that clear memory stay loops.
    function.addFnAttr("no-builtins");
  }
}

static void setText(CompiledImage &image, llvm::Module &module,
                    llvm::TargetMachine &machine, ImageText text) {
  if (text == ImageText::Llvm)
    llvm::raw_string_ostream(image.text) << module;
  if (text != ImageText::Assembly)
    return;
  std::unique_ptr<llvm::Module> copy = llvm::CloneModule(module);
  llvm::SmallVector<char, 0> bytes =
      emitFile(*copy, machine, llvm::CodeGenFileType::AssemblyFile);
  image.text.assign(bytes.begin(), bytes.end());
}

FailureOr<CompiledImage>
mlir::tcc::x86::compileImage(ModuleOp module, llvm::StringRef march,
                             ReproducerStreamFactory reproducer,
                             ImageText text) {
  FailureOr<TargetDescription> target = describeTarget(march, module.getLoc());
  if (failed(target))
    return failure();
  CompiledImage image;
  image.cpu = target->cpu;
  image.features = target->features;
  OwningOpRef<ModuleOp> kernels = copyKernels(module, image.kernels);
  PassManager manager(module.getContext());
  manager.enableCrashReproducerGeneration(std::move(reproducer));
  buildCodegenPhase(manager, march);
  if (failed(manager.run(*kernels)))
    return failure();

  std::unique_ptr<llvm::TargetMachine> machine = createTargetMachine(*target);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> translated =
      translate(*kernels, context, *machine);
  if (!translated)
    return failure();
  setAttributes(*translated, *machine);
  optimise(*translated, *machine);
  setText(image, *translated, *machine, text);
  llvm::SmallVector<char, 0> object =
      emitFile(*translated, *machine, llvm::CodeGenFileType::ObjectFile);

  std::vector<std::string> names;
  for (const CompiledKernel &compiled : image.kernels)
    names.push_back(compiled.name);
  llvm::Expected<LinkedImage> linked = linkImage(
      llvm::MemoryBufferRef({object.data(), object.size()}, "kernels"), names);
  if (!linked)
    return module.emitError("kernels cannot be linked: ")
           << llvm::toString(linked.takeError());
  image.code = std::move(linked->bytes);
  for (auto [compiled, entry] : llvm::zip(image.kernels, linked->entries))
    compiled.entry = entry;
  return image;
}
