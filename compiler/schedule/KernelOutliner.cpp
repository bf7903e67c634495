#include "compiler/schedule/KernelOutliner.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::tcc;

/// The memref of the shape and element type of a tensor; a memref as it is.
static Type bufferType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? MemRefType::get(tensor.getShape(), tensor.getElementType())
                : type;
}

/// Copies `op` to the end of `block`, on the block's arguments and without
/// results.
static void cloneOnBuffers(Operation *op, Block *block) {
  Operation *clone = Operation::create(
      op->getLoc(), op->getName(), TypeRange(), block->getArguments(),
      NamedAttrList(op->getDiscardableAttrDictionary()),
      op->getPropertiesStorage(), BlockRange(), op->getNumRegions());
  for (auto [from, to] : llvm::zip(op->getRegions(), clone->getRegions())) {
    IRMapping mapping;
    from.cloneInto(&to, mapping);
  }
  block->push_back(clone);
}

/// The name of a kernel: what it does and the shape of its weight or result.
static std::string nameOf(Operation *op) {
  std::string name = op->getName().stripDialect().str();
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    if (!type || type.getRank() != 2 || !type.hasStaticShape())
      continue;
    llvm::raw_string_ostream stream(name);
    stream << "_n" << type.getDimSize(0) << "_k" << type.getDimSize(1) << '_';
    if (auto block =
            dyn_cast<transformer::BlockType>(type.getElementType()))
      stream << stringifyEnum(block.getFormat());
    else
      stream << type.getElementType();
  }
  return name;
}

FlatSymbolRefAttr KernelOutliner::outline(const ScheduledLaunch &launch) {
  Operation *op = launch.op;
  MLIRContext *context = op->getContext();
  SmallVector<Type> types = llvm::map_to_vector(
      op->getOperandTypes(), [](Type type) { return bufferType(type); });
  auto function =
      func::FuncOp::create(op->getLoc(), "kernel",
                           FunctionType::get(context, types, {}));
  function->setAttr("kernel.rows",
                    StringAttr::get(context, launch.rows == RowKind::Tokens
                                                 ? "tokens"
                                                 : "logit_rows"));
  Block *block = function.addEntryBlock();
  cloneOnBuffers(op, block);
  OpBuilder builder(context);
  builder.setInsertionPointToEnd(block);
  func::ReturnOp::create(builder, op->getLoc());

  std::string text;
  llvm::raw_string_ostream(text) << *function.getOperation();
  auto [entry, isNew] = known.try_emplace(text);
  if (!isNew) {
    function->destroy();
    return entry->second;
  }
  std::string name = nameOf(op);
  if (int count = ++names[name]; count > 1)
    name += "_v" + std::to_string(count);
  function.setName(name);
  module.push_back(function);
  entry->second = FlatSymbolRefAttr::get(context, name);
  return entry->second;
}
