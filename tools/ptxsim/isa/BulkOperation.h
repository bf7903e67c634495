// What bulk copies of bytes and of tensors share.

#ifndef TCC_TOOLS_PTXSIM_ISA_BULKOPERATION_H
#define TCC_TOOLS_PTXSIM_ISA_BULKOPERATION_H

#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/core/Async.h"
#include "tools/ptxsim/isa/Form.h"
#include "tools/ptxsim/tensor/BulkTensor.h"

namespace ptxsim::isa {

/// An offset in the shared memory of a block of the cluster.
struct SharedPlace {
  Block *block = nullptr;
  uint32_t offset = 0;
};

/// Tells the mbarrier at `offset` of `block` that `bytes` have come.
///
/// \returns false after noting a fault.
bool completeBytes(Worker &worker, const Origin &origin, Block &block,
                   uint32_t offset, uint32_t bytes);

/// Checks that the mbarriers that a copy of `lane` ends in are initialised for it.
///
/// \returns false after noting a fault.
bool checkSignals(Warp &warp, const Op &op, int lane,
                  const std::vector<SharedPlace> &barriers);

/// Resolves a shared address of one lane, of the cluster or generic.
///
/// \returns false after noting a fault.
bool findShared(Warp &warp, const Op &op, int lane, uint64_t address,
                uint32_t bytes, uint32_t alignment, AccessKind kind,
                SharedPlace &result);

/// Notes that a tensor map or its use is wrong; returns false.
bool failTensorMap(Warp &warp, const Op &op, int lane, std::string message,
                   std::string advice = "");

/// Executes an op as `F(warp, op, lane)` for one lane after the other, until one
/// has noted a fault.
template <bool (*F)(Warp &, const Op &, int)>
Next eachLane(Warp &warp, const Op &op, LaneMask mask) {
  for (; mask != 0; mask &= mask - 1)
    if (!F(warp, op, __builtin_ctz(mask)))
      return Next::Stop;
  return Next::Advance;
}

/// Reads .add, .min, … of a bulk reduction.
bool reductionOf(const Match &match, BulkReduction &result);

/// Calls `body(block, rank)` for each block of a multicast mask.
///
/// \returns false after noting a fault, or if `body` does.
template <typename Body>
bool forMulticast(Warp &warp, const Op &op, int lane, uint32_t mask, Body body) {
  std::vector<Block> &blocks = warp.block->cluster->blocks;
  if (mask == 0 || mask >> blocks.size() != 0) {
    Fault fault;
    fault.code = FaultCode::IllegalInstruction;
    fault.check = "multicast mask";
    fault.message = "expected a mask of blocks of the cluster, which has " +
                    std::to_string(blocks.size()) + ", got " +
                    std::to_string(mask);
    warp.worker->stop(warp, op, std::move(fault), lane);
    return false;
  }
  for (uint32_t rank = 0; rank < blocks.size(); ++rank)
    if (mask >> rank & 1 && !body(blocks[rank], rank))
      return false;
  return true;
}

} // namespace ptxsim::isa

#endif // TCC_TOOLS_PTXSIM_ISA_BULKOPERATION_H
