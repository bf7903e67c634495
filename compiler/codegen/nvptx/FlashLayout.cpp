#include "compiler/codegen/nvptx/FlashLayout.h"

#include "compiler/target/h100/Device.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// A number of pages no cache reaches: copies never ask for others.
static constexpr int64_t manyPages = int64_t(1) << 24;

FlashLayout::FlashLayout(kernel::AttentionOp op)
    : group(op.getGroup()), tokens(configurationOf(op).getTileRows() / group),
      positions(configurationOf(op).getTileColumns()),
      stages(configurationOf(op).getStages()) {
  kernel::CacheAttr cache = op.getCache();
  int64_t keyPanels = flashPanelsOf(cache.getPaddedKeySize());
  int64_t valuePanels = flashPanelsOf(cache.getPaddedValueSize());
  consumerBytes = keyPanels * productRows * swizzledRowBytes;
  panelBytes = positions * swizzledRowBytes;
  keyBytes = keyPanels * panelBytes;
  valueBytes = valuePanels * panelBytes;
  keys = flashConsumers * consumerBytes;
  values = keys + stages * keyBytes;
  barriers = values + stages * valueBytes;
}

bool nvptx::hasFlashAttention(kernel::AttentionOp op) {
  kernel::GpuAttentionConfigAttr configuration = configurationOf(op);
  return configuration.getTileRows() == flashConsumers * productRows &&
         configuration.getThreads() ==
             flashConsumerThreads + warpgroupThreads &&
         configuration.getTileColumns() % op.getCache().getPageTokens() == 0 &&
         configuration.getCluster() == 1 && !op.getScale().isNegative() &&
         FlashLayout(op).bytes() <= h100::sharedBytesOfBlock;
}

LaunchShape nvptx::shapeOfFlashAttention(kernel::AttentionOp op) {
  constexpr unsigned pagesOperand = 4;
  kernel::CacheAttr cache = op.getCache();
  LaunchShape shape;
  shape.threads = configurationOf(op).getThreads();
  shape.blocks = h100::multiprocessors;
  shape.blocksOfMultiprocessor = 1;
  shape.sharedBytes = FlashLayout(op).bytes();
  // A page is a plane: the keys of all heads are rows of one map, the values of
  // another one.
  for (bool isValues : {false, true}) {
    int64_t size =
        isValues ? cache.getPaddedValueSize() : cache.getPaddedKeySize();
    TensorMap map;
    map.operand = pagesOperand;
    map.element = cache.getElement();
    map.columns = size;
    map.rows = cache.getHeads() * cache.getPageTokens();
    map.rowBytes = size * 2;
    map.boxColumns = flashPanelColumns;
    map.boxRows = cache.getPageTokens();
    map.offset = isValues ? cache.getHeads() * cache.getKeyBytes() : 0;
    map.planes = manyPages;
    map.planeBytes = cache.getPageBytes();
    shape.tensorMaps.push_back(map);
  }
  return shape;
}
