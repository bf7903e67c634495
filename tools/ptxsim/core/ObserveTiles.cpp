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
  uint32_t end = transfer.sharedAddress + transfer.sharedBytes;
  Fault fault;
  for (uint32_t chunk = transfer.sharedAddress; chunk + 16 <= end; chunk += 16)
    if (!checkTile(*races, block, chunk, reader, fault))
      return worker.stopAt(operation.origin, std::move(fault));
  return true;
}

/// Checks the matrix of `count` chunks that `descriptor` describes.
static bool checkMatrix(ClusterRaces &races, const Block &block,
                        const char *name, uint64_t descriptor,
                        const uint32_t *chunks, size_t count, Fault &fault) {
  MatrixDescriptor decoded = decodeDescriptor(descriptor);
  TileReader reader{"wgmma descriptor", name,
                    {decoded.span, decoded.baseOffset}};
  if (races.racesOf(block).layouts.agrees(reader.swizzle))
    return true;
  for (size_t i = 0; i < count; ++i)
    if (!checkTile(races, block, chunks[i], reader, fault))
      return false;
  return true;
}

bool ptxsim::observeDescriptors(Worker &worker, AsyncOperation &operation,
                                Block &block, const WarpgroupStep &step,
                                const std::vector<uint32_t> &chunks) {
  ClusterRaces *races = block.cluster->races.get();
  if (races == nullptr)
    return true;
  // A is 64 rows of 32 bytes, and comes first.
  size_t ofA = step.isAInRegisters ? 0 : 64 * WarpgroupShape::rowBytesOfA / 16;
  Fault fault;
  return (checkMatrix(*races, block, "the descriptor of A", step.descriptorA,
                      chunks.data(), ofA, fault) &&
          checkMatrix(*races, block, "the descriptor of B", step.descriptorB,
                      chunks.data() + ofA, chunks.size() - ofA, fault)) ||
         worker.stopAt(operation.origin, std::move(fault));
}
