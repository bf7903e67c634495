// Tiles that tensor maps lay out: who brings them, and who reads them.

#include "tools/ptxsim/core/Observe.h"

#include "tools/ptxsim/checks/Races.h"
#include "tools/ptxsim/tensor/BulkTensor.h"
#include "tools/ptxsim/tensor/WarpgroupMultiply.h"

using namespace ptxsim;

void ptxsim::observeTileWrite(Block &block, const BoxTransfer &transfer) {
  if (ClusterRaces *races = block.cluster->races.get())
    races->racesOf(block).layouts.write(
        transfer.sharedAddress, transfer.sharedBytes,
        spanOf(transfer.map.swizzle), block.sharedBytes);
}

bool ptxsim::observeTileRead(Worker &worker, AsyncOperation &operation,
                             Block &block, const BoxTransfer &transfer) {
  ClusterRaces *races = block.cluster->races.get();
  TileReader reader{"tensor map", "the tensor map", {}};
  reader.swizzle.span = spanOf(transfer.map.swizzle);
  if (races == nullptr || races->racesOf(block).layouts.agrees(reader.swizzle))
    return true;
  std::vector<uint32_t> chunks(transfer.sharedBytes / 16);
  for (size_t i = 0; i < chunks.size(); ++i)
    chunks[i] = transfer.sharedAddress + uint32_t(i) * 16;
  Fault fault;
  return checkTile(*races, block, chunks, 0, chunks.size(), reader, fault) ||
         worker.stopAt(operation.origin, std::move(fault));
}

static TileReader readerBy(const char *name, uint64_t descriptor) {
  MatrixDescriptor decoded = decodeDescriptor(descriptor);
  return {"wgmma descriptor", name, {decoded.span, decoded.baseOffset}};
}

bool ptxsim::observeDescriptors(Worker &worker, AsyncOperation &operation,
                                Block &block, const WarpgroupStep &step,
                                const std::vector<uint32_t> &chunks) {
  ClusterRaces *races = block.cluster->races.get();
  if (races == nullptr)
    return true;
  // A is 64 rows of 32 bytes, and comes first.
  size_t ofA = step.isAInRegisters ? 0 : 64 * WarpgroupShape::rowBytesOfA / 16;
  TileReader a = readerBy("the descriptor of A", step.descriptorA);
  TileReader b = readerBy("the descriptor of B", step.descriptorB);
  Fault fault;
  return (checkTile(*races, block, chunks, 0, ofA, a, fault) &&
          checkTile(*races, block, chunks, ofA, chunks.size(), b, fault)) ||
         worker.stopAt(operation.origin, std::move(fault));
}
