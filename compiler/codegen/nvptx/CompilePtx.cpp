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

static ::tcc::schema::ElementType elementType(Type type) {
  if (type.isBF16())
    return ::tcc::schema::ElementType::BF16;
  if (type.isF16())
    return ::tcc::schema::ElementType::F16;
  return type.isF32() ? ::tcc::schema::ElementType::F32
                      : ::tcc::schema::ElementType::I32;
}

/// The rows of a step up to the last one of `rows`.
static ::tcc::schema::Expression countRows(kernel::Rows rows) {
  bool isLogits = rows == kernel::Rows::LogitRows;
  bool isExpanded = rows == kernel::Rows::Expanded;
  return {/*constant=*/0,
          /*tokens=*/!isLogits && !isExpanded,
          /*sequences=*/0,
          /*logit_rows=*/isLogits,
          /*expanded_tokens=*/isExpanded,
          /*absorbed_tokens=*/0,
          /*expanded_sequences=*/0};
}

static ::tcc::schema::TensorMap translate(const TensorMap &map, Operation *op,
                                          kernel::Rows rows) {
  Value operand = op->getOperand(map.operand);
  ::tcc::schema::Expression count(map.rows, 0, 0, 0, 0, 0, 0);
  if (map.rows == rowsOfStep)
    count = countRows(rows);
  return {cast<BlockArgument>(operand).getArgNumber(),
          elementType(map.element),
          static_cast<uint8_t>(map.swizzle),
          static_cast<uint64_t>(offsetOf(operand.getType()) + map.offset),
          static_cast<uint64_t>(map.columns),
          count,
          static_cast<uint64_t>(map.planes),
          static_cast<uint64_t>(map.rowBytes),
          static_cast<uint64_t>(map.planeBytes),
          static_cast<uint32_t>(map.boxColumns),
          static_cast<uint32_t>(map.boxRows)};
}

/// Sets how the kernel of `function` is launched.
static LogicalResult describeLaunch(func::FuncOp function,
                                    CompiledKernel &compiled) {
  Operation *op = findKernel(function);
  FailureOr<kernel::Rows> rows = rowsOf(function);
  if (failed(rows))
    return failure();
  LaunchShape shape = shapeOf(op);
  compiled.threads = static_cast<uint32_t>(shape.threads);
  compiled.blocks = static_cast<uint32_t>(shape.blocks);
  compiled.cluster = static_cast<uint32_t>(shape.cluster);
  compiled.sharedBytes = static_cast<uint32_t>(shape.sharedBytes);
  compiled.waits = true; // As every kernel that is lowered does.
  for (const TensorMap &map : shape.tensorMaps)
    compiled.tensorMaps.push_back(translate(map, op, *rows));
  return success();
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
    if (failed(
            verifyKernelFunction(function, findKernel(function), takesViews)) ||
        failed(describeLaunch(function, compiled)))
      return failure();
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
