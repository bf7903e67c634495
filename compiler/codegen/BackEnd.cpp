#include "compiler/codegen/BackEnd.h"

#include "compiler/codegen/KernelFunction.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::tcc;

/// The attributes of `op` that a cost model chose, as text.
static std::string configurationOf(Operation *op) {
  Attribute configuration = op->getAttr("configuration");
  std::string text;
  if (configuration)
    llvm::raw_string_ostream(text) << configuration;
  return text;
}

OwningOpRef<ModuleOp>
mlir::tcc::copyKernels(ModuleOp module, std::vector<CompiledKernel> &kernels) {
  OwningOpRef<ModuleOp> copies = ModuleOp::create(module.getLoc());
  for (auto function : module.getOps<func::FuncOp>())
    if (Operation *op = findKernel(function)) {
      copies->push_back(function.clone());
      kernels.push_back({function.getName().str(), configurationOf(op)});
    }
  return copies;
}

std::unique_ptr<llvm::Module>
mlir::tcc::translate(ModuleOp module, llvm::LLVMContext &context,
                     llvm::TargetMachine &machine) {
  DialectRegistry registry;
  registerAllToLLVMIRTranslations(registry);
  module.getContext()->appendDialectRegistry(registry);
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(module, context);
  if (!translated) {
    module.emitError("kernels cannot be translated to LLVM IR");
    return nullptr;
  }
  translated->setTargetTriple(machine.getTargetTriple());
  translated->setDataLayout(machine.createDataLayout());
  return translated;
}

void mlir::tcc::optimise(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = false;
  tuning.LoopUnrolling = tuning.LoopInterleaving = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
}

llvm::SmallVector<char, 0> mlir::tcc::emitFile(llvm::Module &module,
                                               llvm::TargetMachine &machine,
                                               llvm::CodeGenFileType type) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager manager;
  bool cannotEmit = machine.addPassesToEmitFile(manager, stream, nullptr, type);
  assert(!cannotEmit && "a target emits its files");
  (void)cannotEmit;
  manager.run(module);
  return bytes;
}
