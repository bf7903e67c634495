// Replaces functions of kernel ops by kernels for a GPU.

#include "compiler/codegen/nvptx/Passes.h"

#include "compiler/codegen/nvptx/Kernels.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_LOWERKERNELSTOGPUPASS
#include "compiler/codegen/nvptx/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// Threads of a block that computes rows or attention.
static constexpr int64_t usualThreads = 128;

int64_t nvptx::threadsOf(Operation *op) {
  Attribute configuration = op->getAttr("configuration");
  if (auto linear =
          dyn_cast_or_null<kernel::GpuLinearConfigAttr>(configuration))
    return linear.getThreads();
  if (auto attention =
          dyn_cast_or_null<kernel::GpuAttentionConfigAttr>(configuration))
    return attention.getThreads();
  return usualThreads;
}

/// Makes the kernel without its body, with one pointer for each argument of
/// `function`.
static LLVM::LLVMFuncOp declareKernel(OpBuilder &builder, func::FuncOp function,
                                      int64_t threads) {
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext(), Global);
  SmallVector<Type> arguments(function.getNumArguments() + 1, pointer);
  arguments.push_back(builder.getI64Type());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(builder.getContext()), arguments);
  auto kernelOp = LLVM::LLVMFuncOp::create(builder, function.getLoc(),
                                           function.getName(), type);
  kernelOp->setAttr("nvvm.kernel", builder.getUnitAttr());
  kernelOp->setAttr("nvvm.reqntid", builder.getDenseI32ArrayAttr(
                                        {static_cast<int32_t>(threads)}));
  return kernelOp;
}

/// What the kernel gets, from the arguments of its entry.
static KernelFrame makeFrame(Emitter &emitter, kernel::Rows rows, Operation *op,
                             Block &entry) {
  KernelFrame frame;
  for (Value operand : op->getOperands()) {
    unsigned index = cast<BlockArgument>(operand).getArgNumber();
    frame.operands.push_back(
        emitter.offset(entry.getArgument(index), offsetOf(operand.getType())));
  }
  Value sizes = entry.getArgument(entry.getNumArguments() - 2);
  auto size = [&](int64_t place) {
    return emitter.load(emitter.i64(), emitter.offset(sizes, place * 8), 8);
  };
  frame.rows = size(rows == kernel::Rows::Tokens ? TokensSize : LogitRowsSize);
  frame.pageTableStride = size(PageTableStride);
  frame.tiles = entry.getArgument(entry.getNumArguments() - 1);
  return frame;
}

static LogicalResult emitCode(Emitter &emitter, Operation *op,
                              const KernelFrame &frame) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<kernel::EmbeddingOp, kernel::GatherRowsOp, kernel::RMSNormOp,
            kernel::LinearOp, kernel::RotaryAppendOp, kernel::AttentionOp>(
          [&](auto kernelOp) {
            emitKernel(emitter, kernelOp, frame);
            return success();
          })
      .Default([](Operation *other) {
        return other->emitOpError("has no code for a GPU yet");
      });
}

/// Verifies that what a cost model chose is for a GPU.
static LogicalResult verifyTarget(Operation *op) {
  for (StringRef name : {"packing", "configuration"}) {
    Attribute attribute = op->getAttr(name);
    if (attribute && !isa<kernel::RowPackingAttr, kernel::GpuLinearConfigAttr,
                          kernel::GpuAttentionConfigAttr>(attribute))
      return op->emitOpError("expected a ")
             << name << " of the H100, got " << attribute;
  }
  return success();
}

static LogicalResult lower(func::FuncOp function, Operation *op) {
  if (failed(verifyKernelFunction(function, op)) || failed(verifyTarget(op)))
    return failure();
  FailureOr<kernel::Rows> rows = rowsOf(function);
  if (failed(rows))
    return failure();
  if (*rows != kernel::Rows::Tokens && *rows != kernel::Rows::LogitRows)
    return function.emitOpError("expected rows of tokens or of logits for a "
                                "GPU, got ")
           << function->getAttr("kernel.rows");
  OpBuilder builder(function);
  int64_t threads = threadsOf(op);
  LLVM::LLVMFuncOp kernelOp = declareKernel(builder, function, threads);
  Block *entry = kernelOp.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  Emitter emitter(builder, op->getLoc(), threads);
  KernelFrame frame = makeFrame(emitter, *rows, op, *entry);
  if (failed(emitCode(emitter, op, frame)))
    return failure();
  builder.setInsertionPointToEnd(entry);
  LLVM::ReturnOp::create(builder, op->getLoc(), ValueRange());
  function.erase();
  return success();
}

namespace {
struct LowerKernelsToGpu
    : tcc::impl::LowerKernelsToGpuPassBase<LowerKernelsToGpu> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : functions)
      if (Operation *op = findKernel(function))
        if (failed(lower(function, op)))
          return signalPassFailure();
  }
};
} // namespace
