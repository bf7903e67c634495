#include "compiler/target/h100/Limits.h"

#include "compiler/target/h100/Device.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::h100;

/// Whether tensor cores do what `op` multiplies.
static bool usesTensorCores(Operation *op) {
  kernel::GpuKind kind = kernel::GpuKind::Simt;
  if (auto linear =
          op->getAttrOfType<kernel::GpuLinearConfigAttr>("configuration"))
    kind = linear.getKind();
  if (auto attention =
          op->getAttrOfType<kernel::GpuAttentionConfigAttr>("configuration"))
    kind = attention.getKind();
  auto operand = op->getAttrOfType<TypeAttr>("operand");
  bool isWide = operand && operand.getValue().isF32();
  return kind != kernel::GpuKind::Simt && !isWide;
}

StringRef h100::predictLimit(Operation *op, int64_t flops, int64_t bytes) {
  bool isTensor = usesTensorCores(op);
  double flopsOfSecond =
      isTensor ? tensorFlopsOfClock * clocksOfSecond * multiprocessors
               : laneFlopsOfClock * laneClocksOfSecond * multiprocessors;
  double products = static_cast<double>(flops) / flopsOfSecond;
  double memory = static_cast<double>(bytes) / memoryBytesOfSecond;
  if (std::max(products, memory) < launchSeconds)
    return "launch";
  if (memory >= products)
    return "memory";
  return isTensor ? "tensor cores" : "lanes";
}
