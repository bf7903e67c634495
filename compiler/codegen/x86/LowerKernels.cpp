// Replaces functions of kernel ops by functions that the runtime calls.

#include "compiler/codegen/x86/Passes.h"

#include "compiler/codegen/x86/Kernels.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_LOWERKERNELSPASS
#include "compiler/codegen/x86/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

/// Sets the number of rows, and lets what has rows begin with the first of
/// them.
static void setRows(Emitter &emitter, KernelFrame &frame, Operation *op,
                    kernel::Rows rows, Value sizes) {
  auto size = [&](int64_t place) {
    return emitter.load(emitter.i64(), emitter.offset(sizes, place * 8), 8);
  };
  if (rows == kernel::Rows::Tokens || rows == kernel::Rows::LogitRows) {
    frame.rows =
        size(rows == kernel::Rows::Tokens ? TokensSize : LogitRowsSize);
    return;
  }
  frame.rows = size(ExpandedTokensSize);
  if (rows == kernel::Rows::Expanded)
    return;
  for (auto [operand, memory] : llvm::zip(op->getOperands(), frame.operands)) {
    Type type = operand.getType();
    if (!hasRows(type))
      continue;
    int64_t bytes = stridesOf(type)[0] *
                    cast<ShapedType>(type).getElementTypeBitWidth() / 8;
    memory = emitter.offset(memory, emitter.multiply(frame.rows, bytes));
  }
  frame.rows = emitter.subtract(size(TokensSize), frame.rows);
}

/// Loads what the runtime passes. `entry` has the arguments of the new
/// function.
static KernelFrame makeFrame(Emitter &emitter, kernel::Rows rows, Operation *op,
                             Block &entry) {
  KernelFrame frame;
  Type pointer = LLVM::LLVMPointerType::get(emitter.builder.getContext());
  Value arguments = entry.getArgument(0), sizes = entry.getArgument(1);
  for (Value operand : op->getOperands()) {
    unsigned index = cast<BlockArgument>(operand).getArgNumber();
    Value memory = emitter.load(
        pointer, emitter.offset(arguments, static_cast<int64_t>(index) * 8), 8);
    frame.operands.push_back(
        emitter.offset(memory, offsetOf(operand.getType())));
  }
  setRows(emitter, frame, op, rows, sizes);
  frame.pageTableStride = emitter.load(
      emitter.i64(), emitter.offset(sizes, PageTableStride * 8), 8);
  frame.begin = entry.getArgument(2);
  frame.end = entry.getArgument(3);
  // A step has tokens. Without other rows there is nothing to do, though the
  // number of tiles may not depend on them.
  if (rows != kernel::Rows::Tokens)
    frame.end =
        emitter.minimum(frame.end, emitter.multiply(frame.rows, frame.end));
  frame.scratch = entry.getArgument(4);
  return frame;
}

/// Weights in blocks are multiplied as integers.
template <typename Op>
static LogicalResult verifyOperand(Op op) {
  Type weight = cast<ShapedType>(op.getWeight().getType()).getElementType();
  if (isa<transformer::BlockType>(weight) && !op.getOperand().isInteger(16))
    return op.emitOpError(
               "expected operands of type i16 for a weight in blocks "
               "on x86-64, got ")
           << op.getOperand();
  return success();
}

/// Verifies that layouts and configurations of `op` are those of this target.
static LogicalResult verifyTarget(Operation *op) {
  for (StringRef name : {"packing", "configuration"}) {
    Attribute attribute = op->getAttr(name);
    if (!attribute ||
        isa<kernel::PackingAttr, kernel::LinearConfigAttr,
            kernel::AttentionConfigAttr, kernel::LatentConfigAttr>(attribute))
      continue;
    return op->emitOpError("expected a ")
           << name << " of x86-64, got " << attribute;
  }
  auto cache = op->getAttrOfType<kernel::CacheAttr>("cache");
  if (cache && cache.getOrder() != kernel::CacheOrder::Vectors)
    return op->emitOpError("expected a cache of x86-64, got ") << cache;
  return success();
}

/// Whether the configuration of `op` asks for dot products of bf16.
static bool usesDot(Operation *op) {
  Attribute configuration = op->getAttr("configuration");
  if (auto linear = dyn_cast_or_null<kernel::LinearConfigAttr>(configuration))
    return linear.getArithmetic() == kernel::Arithmetic::Dot;
  if (auto latent = dyn_cast_or_null<kernel::LatentConfigAttr>(configuration))
    return latent.getArithmetic() == kernel::Arithmetic::Dot;
  return false;
}

static LogicalResult emitCode(Emitter &emitter, Operation *op,
                              const KernelFrame &frame) {
  if (usesDot(op) && !emitter.target.dotIsFaster)
    return op->emitOpError("expected no dot products for a CPU that multiplies "
                           "bf16 no faster than f32, got ")
           << op->getAttr("configuration");
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<kernel::LinearOp, kernel::GroupedLinearOp, kernel::HeadLinearOp>(
          [&](auto linear) {
            if (failed(verifyOperand(linear)))
              return failure();
            emitKernel(emitter, linear, frame);
            return success();
          })
      .Case<kernel::EmbeddingOp, kernel::GatherRowsOp, kernel::RMSNormOp,
            kernel::RotaryAppendOp, kernel::AttentionOp, kernel::LatentAppendOp,
            kernel::LatentAttentionOp, kernel::ExpandedAttentionOp,
            kernel::RouteOp, kernel::DispatchOp, kernel::CombineOp>(
          [&](auto kernelOp) {
            emitKernel(emitter, kernelOp, frame);
            return success();
          })
      .Default([](Operation *) -> LogicalResult {
        llvm_unreachable("every kernel op has code");
      });
}

/// Whether code for `op` reads `operand` as a part of a larger buffer.
static bool takesViews(Operation *op, Value operand) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<kernel::LinearOp, kernel::GroupedLinearOp, kernel::HeadLinearOp>(
          [&](auto linear) { return operand == linear.getInput(); })
      .Case<kernel::LatentAppendOp>([&](auto append) {
        return operand == append.getQuery() || operand == append.getLatents();
      })
      .Case<kernel::ExpandedAttentionOp>(
          [&](auto attention) { return operand == attention.getNopeQuery(); })
      .Case<kernel::RMSNormOp>([&](auto norm) {
        return llvm::is_contained(norm.getInputs(), operand);
      })
      .Default(false);
}

static LogicalResult lower(func::FuncOp function, Operation *op,
                           const TargetDescription &target) {
  if (failed(verifyKernelFunction(function, op, takesViews)))
    return failure();
  FailureOr<kernel::Rows> rows = rowsOf(function);
  if (failed(rows) || failed(verifyTarget(op)))
    return failure();
  MLIRContext *context = function.getContext();
  OpBuilder builder(context);
  Type pointer = LLVM::LLVMPointerType::get(context);
  Type i64 = builder.getI64Type();
  builder.setInsertionPoint(function);
  auto lowered = func::FuncOp::create(
      builder, function.getLoc(), function.getName(),
      builder.getFunctionType({pointer, pointer, i64, i64, pointer}, {}));
  Block *entry = lowered.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  Emitter emitter(builder, op->getLoc(), target);
  KernelFrame frame = makeFrame(emitter, *rows, op, *entry);
  if (failed(emitCode(emitter, op, frame)))
    return failure();
  builder.setInsertionPointToEnd(entry);
  func::ReturnOp::create(builder, op->getLoc());
  function.erase();
  return success();
}

namespace {
struct LowerKernels : tcc::impl::LowerKernelsPassBase<LowerKernels> {
  using LowerKernelsPassBase::LowerKernelsPassBase;

  void runOnOperation() override {
    FailureOr<TargetDescription> target =
        describeTarget(march, getOperation().getLoc());
    if (failed(target))
      return signalPassFailure();
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : functions)
      if (Operation *op = findKernel(function))
        if (failed(lower(function, op, *target)))
          return signalPassFailure();
  }
};
} // namespace
