#include "compiler/schedule/KernelOutliner.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::tcc;

/// The memref of the shape and element type of a tensor, with its layout in the
/// buffer of `operand`; a memref as it is.
static Type bufferType(Type type, const ScheduledOperand &operand) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return type;
  MemRefLayoutAttrInterface layout;
  if (operand.layout && operand.layout != contiguousLayout(tensor))
    layout = operand.layout;
  return MemRefType::get(tensor.getShape(), tensor.getElementType(), layout);
}

/// The attributes of `op` that its definition does not know, without the rows:
/// its function says them.
static NamedAttrList discardableAttributes(Operation *op) {
  NamedAttrList attributes(op->getDiscardableAttrDictionary());
  attributes.erase(kernel::rowsAttribute);
  return attributes;
}

/// Copies `op` to the end of `block`, on the block's arguments and without
/// results.
static void cloneOnBuffers(Operation *op, Block *block) {
  Operation *clone = Operation::create(
      op->getLoc(), op->getName(), TypeRange(), block->getArguments(),
      discardableAttributes(op), op->getPropertiesStorage(), BlockRange(),
      op->getNumRegions());
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
    if (!type || type.getRank() < 2 || !type.hasStaticShape())
      continue;
    llvm::raw_string_ostream stream(name);
    if (type.getRank() == 3)
      stream << "_e" << type.getDimSize(0);
    ArrayRef<int64_t> matrix = type.getShape().take_back(2);
    stream << "_n" << matrix[0] << "_k" << matrix[1] << '_';
    Type element = type.getElementType();
    if (auto block = dyn_cast<transformer::BlockType>(element))
      stream << stringifyEnum(block.getFormat());
    else if (auto scaled = dyn_cast<transformer::ScaledType>(element))
      stream << scaled.getStorage();
    else
      stream << element;
  }
  return name;
}

FlatSymbolRefAttr KernelOutliner::outline(const ScheduledLaunch &launch) {
  Operation *op = launch.op;
  MLIRContext *context = op->getContext();
  SmallVector<Type> types;
  for (auto [type, operand] : llvm::zip(op->getOperandTypes(), launch.operands))
    types.push_back(bufferType(type, operand));
  auto function =
      func::FuncOp::create(op->getLoc(), "kernel",
                           FunctionType::get(context, types, {}));
  function->setAttr(
      kernel::rowsAttribute,
      StringAttr::get(context, kernel::stringifyRows(launch.rows)));
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
