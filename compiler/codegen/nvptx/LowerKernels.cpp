// Replaces functions of kernel ops by kernels for a GPU.

#include "compiler/codegen/nvptx/Passes.h"

#include "compiler/codegen/nvptx/Hopper.h"
#include "compiler/codegen/nvptx/Kernels.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_LOWERKERNELSTOGPUPASS
#include "compiler/codegen/nvptx/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

LaunchShape nvptx::shapeOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, LaunchShape>(op)
      .Case<kernel::LinearOp, kernel::AttentionOp, kernel::SampleOp>(
          [](auto kernelOp) { return shapeOf(kernelOp); })
      .Default([](Operation *) { return LaunchShape(); });
}

/// Gives parameter `index` of `kernelOp` the bytes of a tensor map.
static void setTensorMap(OpBuilder &builder, LLVM::LLVMFuncOp kernelOp,
                         unsigned index) {
  constexpr int64_t mapBytes = 128, mapAlignment = 64;
  auto bytes = LLVM::LLVMArrayType::get(builder.getI8Type(), mapBytes);
  kernelOp.setArgAttr(index, "llvm.byval", TypeAttr::get(bytes));
  kernelOp.setArgAttr(index, "llvm.align",
                      builder.getI64IntegerAttr(mapAlignment));
  kernelOp.setArgAttr(index, "nvvm.grid_constant", builder.getUnitAttr());
}

/// Makes the kernel without its body, with one pointer for each argument of
/// `function`.
static LLVM::LLVMFuncOp declareKernel(OpBuilder &builder, func::FuncOp function,
                                      const LaunchShape &shape) {
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext(), Global);
  SmallVector<Type> arguments(function.getNumArguments() + 1, pointer);
  arguments.push_back(builder.getI64Type());
  arguments.append(shape.tensorMaps.size(),
                   LLVM::LLVMPointerType::get(builder.getContext()));
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(builder.getContext()), arguments);
  auto kernelOp = LLVM::LLVMFuncOp::create(builder, function.getLoc(),
                                           function.getName(), type);
  kernelOp->setAttr("nvvm.kernel", builder.getUnitAttr());
  kernelOp->setAttr("nvvm.reqntid", builder.getDenseI32ArrayAttr(
                                        {static_cast<int32_t>(shape.threads)}));
  if (shape.cluster > 1)
    kernelOp->setAttr("nvvm.cluster_dim",
                      builder.getDenseI32ArrayAttr(
                          {static_cast<int32_t>(shape.cluster), 1, 1}));
  if (shape.blocksOfMultiprocessor > 0)
    kernelOp->setAttr("nvvm.minctasm",
                      builder.getI32IntegerAttr(
                          static_cast<int32_t>(shape.blocksOfMultiprocessor)));
  for (size_t i = 0; i < shape.tensorMaps.size(); ++i)
    setTensorMap(builder, kernelOp, function.getNumArguments() + 2 + i);
  return kernelOp;
}

/// Sets which rows of the step the kernel computes.
static void setRows(Emitter &emitter, kernel::Rows rows, Operation *op,
                    llvm::function_ref<Value(int64_t)> size,
                    KernelFrame &frame) {
  frame.firstRow = emitter.integer(0);
  if (rows == kernel::Rows::Tokens || rows == kernel::Rows::LogitRows) {
    frame.rows =
        size(rows == kernel::Rows::Tokens ? TokensSize : LogitRowsSize);
    return;
  }
  Value expanded = size(ExpandedTokensSize);
  frame.rows = expanded;
  if (rows == kernel::Rows::Expanded)
    return;
  frame.firstRow = expanded;
  frame.rows = emitter.subtract(size(TokensSize), expanded);
  for (auto [operand, memory] : llvm::zip(op->getOperands(), frame.operands))
    if (hasRows(operand.getType()))
      memory = emitRow(emitter, operand.getType(), memory, expanded);
}

/// What the kernel gets, from the arguments of its entry, but for sizes.
static KernelFrame makeFrame(Emitter &emitter, Operation *op, Block &entry,
                             unsigned arguments) {
  KernelFrame frame;
  for (Value operand : op->getOperands()) {
    unsigned index = cast<BlockArgument>(operand).getArgNumber();
    frame.operands.push_back(
        emitter.offset(entry.getArgument(index), offsetOf(operand.getType())));
  }
  frame.tiles = entry.getArgument(arguments + 1);
  for (Value map : entry.getArguments().drop_front(arguments + 2))
    frame.tensorMaps.push_back(map);
  return frame;
}

/// Reads the sizes of the step at `sizes`.
static void setSizes(Emitter &emitter, kernel::Rows rows, Operation *op,
                     Value sizes, KernelFrame &frame) {
  auto size = [&](int64_t place) {
    return emitter.load(emitter.i64(), emitter.offset(sizes, place * 8), 8);
  };
  setRows(emitter, rows, op, size, frame);
  frame.pageTableStride = size(PageTableStride);
}

static LogicalResult emitCode(Emitter &emitter, Operation *op,
                              const KernelFrame &frame) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<kernel::EmbeddingOp, kernel::GatherRowsOp, kernel::RMSNormOp,
            kernel::SampleOp, kernel::LinearOp, kernel::RotaryAppendOp,
            kernel::AttentionOp>([&](auto kernelOp) {
        emitKernel(emitter, kernelOp, frame);
        return success();
      })
      .Default([](Operation *other) {
        return other->emitOpError("has no code for a GPU");
      });
}

/// Verifies that what a cost model chose is for a GPU, and has code.
static LogicalResult verifyTarget(Operation *op) {
  for (StringRef name : {"packing", "configuration"}) {
    Attribute attribute = op->getAttr(name);
    if (attribute &&
        !isa<kernel::RowPackingAttr, kernel::GpuLinearConfigAttr,
             kernel::GpuAttentionConfigAttr, kernel::GpuSampleConfigAttr>(
            attribute))
      return op->emitOpError("expected a ")
             << name << " of the H100, got " << attribute;
  }
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<kernel::LinearOp, kernel::AttentionOp>(
          [](auto kernelOp) { return verifyKernel(kernelOp); })
      .Default([](Operation *) { return success(); });
}

bool nvptx::takesViews(Operation *op, Value operand) {
  auto type = cast<ShapedType>(operand.getType());
  return type.getRank() == 2 && hasRows(type);
}

static LogicalResult lower(func::FuncOp function, Operation *op) {
  if (failed(verifyKernelFunction(function, op, takesViews)) ||
      failed(verifyTarget(op)))
    return failure();
  FailureOr<kernel::Rows> rows = rowsOf(function);
  if (failed(rows))
    return failure();
  OpBuilder builder(function);
  LaunchShape shape = shapeOf(op);
  LLVM::LLVMFuncOp kernelOp = declareKernel(builder, function, shape);
  Block *entry = kernelOp.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  Emitter emitter(builder, op->getLoc(), shape.threads);
  unsigned arguments = function.getNumArguments();
  KernelFrame frame = makeFrame(emitter, op, *entry, arguments);
  if (auto linear = dyn_cast<kernel::LinearOp>(op))
    emitPrefetch(emitter, linear, frame);
  // The launch before may still run: nothing of it is touched earlier. The next
  // one may take the multiprocessors that this one leaves.
  Hopper hopper(emitter);
  hopper.waitForGridsBefore();
  hopper.letNextGridStart();
  setSizes(emitter, *rows, op, entry->getArgument(arguments), frame);
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
