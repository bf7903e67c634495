// Special registers.
//
// Source: PTX ISA 9.0, chapter 10.

#include "tools/ptxsim/core/Block.h"
#include "tools/ptxsim/core/Handlers.h"
#include "tools/ptxsim/isa/Lanes.h"

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::SpecialRegister;

/// Calls `value(lane)` for each lane and writes it, as 2, 4 or 8 bytes.
template <typename Value>
static void fill(Warp &warp, const Op &op, LaneMask mask, Value value) {
  forLanes(mask, [&](int lane) {
    uint64_t bits = value(lane);
    switch (op.count) {
    case 2:
      warp.at<uint16_t>(op.slots[0])[lane] = uint16_t(bits);
      break;
    case 4:
      warp.at<uint32_t>(op.slots[0])[lane] = uint32_t(bits);
      break;
    default:
      warp.at<uint64_t>(op.slots[0])[lane] = bits;
    }
  });
}

static Next readThreadIndex(Warp &warp, const Op &op, LaneMask mask) {
  const std::array<uint32_t, 3> &size = warp.block->cluster->grid->launch.block;
  uint32_t first = warp.index * 32;
  fill(warp, op, mask, [&](int lane) -> uint64_t {
    uint32_t linear = first + uint32_t(lane);
    switch (op.modifiers & 3) {
    case 0:
      return linear % size[0];
    case 1:
      return linear / size[0] % size[1];
    case 2:
      return linear / size[0] / size[1];
    }
    return 0;
  });
  return Next::Advance;
}

static uint64_t maskOf(SpecialRegister special, int lane) {
  uint32_t bit = 1u << lane;
  switch (special) {
  case SpecialRegister::LaneMaskEq:
    return bit;
  case SpecialRegister::LaneMaskLt:
    return bit - 1;
  case SpecialRegister::LaneMaskLe:
    return bit | (bit - 1);
  case SpecialRegister::LaneMaskGt:
    return ~(bit | (bit - 1));
  case SpecialRegister::LaneMaskGe:
    return ~(bit - 1);
  default:
    return uint64_t(lane);
  }
}

template <SpecialRegister S>
static Next readLaneMask(Warp &warp, const Op &op, LaneMask mask) {
  fill(warp, op, mask, [](int lane) { return maskOf(S, lane); });
  return Next::Advance;
}

/// Component 0, 1, 2 of a triple; the fourth is 0, or 1 for sizes.
static uint64_t pick(const std::array<uint32_t, 3> &triple, uint32_t component,
                     uint64_t fourth = 0) {
  return component < 3 ? triple[component] : fourth;
}

static std::array<uint32_t, 3> clusterCounts(const LaunchParameters &launch) {
  return {launch.grid[0] / launch.cluster[0], launch.grid[1] / launch.cluster[1],
          launch.grid[2] / launch.cluster[2]};
}

/// The value of a register that all lanes share.
static uint64_t sharedValue(const Warp &warp, SpecialRegister special,
                            uint32_t component) {
  const Block &block = *warp.block;
  const Cluster &cluster = *block.cluster;
  const GridRun &grid = *cluster.grid;
  const LaunchParameters &launch = grid.launch;
  uint32_t blocks = uint32_t(cluster.blocks.size());
  switch (special) {
  case SpecialRegister::NTid:
    return pick(launch.block, component, 1);
  case SpecialRegister::WarpId:
    return warp.index;
  case SpecialRegister::NWarpId:
    return h100::threadsPerMultiprocessor / 32;
  case SpecialRegister::CtaId:
    return pick(block.index, component);
  case SpecialRegister::NCtaId:
    return pick(launch.grid, component, 1);
  case SpecialRegister::SmId:
    return (cluster.linear * blocks + block.rank) %
           h100::multiprocessors;
  case SpecialRegister::NSmId:
    return h100::multiprocessors;
  case SpecialRegister::GridId:
    return launch.serial;
  case SpecialRegister::ClusterId:
    return pick(cluster.index, component);
  case SpecialRegister::NClusterId:
    return pick(clusterCounts(launch), component, 1);
  case SpecialRegister::ClusterCtaId: {
    const std::array<uint32_t, 3> &size = launch.cluster;
    return pick({block.rank % size[0], block.rank / size[0] % size[1],
                 block.rank / size[0] / size[1]},
                component);
  }
  case SpecialRegister::ClusterNCtaId:
    return pick(launch.cluster, component, 1);
  case SpecialRegister::ClusterCtaRank:
    return block.rank;
  case SpecialRegister::ClusterNCtaRank:
    return blocks;
  case SpecialRegister::Clock:
    return uint32_t(warp.executed + cluster.time());
  case SpecialRegister::ClockHi:
    return (warp.executed + cluster.time()) >> 32;
  case SpecialRegister::Clock64:
    return warp.executed + cluster.time();
  case SpecialRegister::GlobalTimer:
    return grid.startTime + cluster.time();
  case SpecialRegister::GlobalTimerLo:
    return uint32_t(grid.startTime + cluster.time());
  case SpecialRegister::GlobalTimerHi:
    return (grid.startTime + cluster.time()) >> 32;
  case SpecialRegister::DynamicSmemSize:
    return launch.dynamicSharedBytes;
  case SpecialRegister::TotalSmemSize:
    return (grid.sharedBytes - h100::reservedSharedBytesPerBlock + 127) / 128 *
           128;
  case SpecialRegister::AggrSmemSize:
    return (grid.sharedBytes + 127) / 128 * 128;
  case SpecialRegister::ReservedSmemOffsetEnd:
  case SpecialRegister::ReservedSmemOffsetCap:
    return h100::reservedSharedBytesPerBlock;
  case SpecialRegister::ReservedSmemOffset:
    return component == 1 ? h100::groupsSharedOffset : 0;
  case SpecialRegister::EnvReg:
    if (component == 1)
      return grid.workspace >> 32;
    return component == 2 ? uint32_t(grid.workspace) : 0;
  default:
    return 0;
  }
}

static constexpr bool isTime(SpecialRegister special) {
  switch (special) {
  case SpecialRegister::Clock:
  case SpecialRegister::ClockHi:
  case SpecialRegister::Clock64:
  case SpecialRegister::GlobalTimer:
  case SpecialRegister::GlobalTimerLo:
  case SpecialRegister::GlobalTimerHi:
    return true;
  default:
    return false;
  }
}

/// Ops are counted at the end of a slice: who reads a time ends it, so that the
/// next reader sees that time went on.
template <SpecialRegister S>
static Next readShared(Warp &warp, const Op &op, LaneMask mask) {
  uint64_t value = sharedValue(warp, S, op.modifiers);
  fill(warp, op, mask, [&](int) { return value; });
  return isTime(S) ? Next::Yield : Next::Advance;
}

static Next readExplicitCluster(Warp &warp, const Op &op, LaneMask mask) {
  warp.setPredicate(op.slots[0],
                    warp.block->cluster->grid->launch.hasCluster ? ~0u : 0, mask);
  return Next::Advance;
}

template <size_t... I>
static Handler sharedHandler(SpecialRegister special, std::index_sequence<I...>) {
  static constexpr Handler handlers[] = {readShared<SpecialRegister(I)>...};
  return handlers[size_t(special)];
}

Handler isa::readSpecial(SpecialRegister special) {
  switch (special) {
  case SpecialRegister::Tid:
    return readThreadIndex;
  case SpecialRegister::LaneId:
    return readLaneMask<SpecialRegister::LaneId>;
  case SpecialRegister::LaneMaskEq:
    return readLaneMask<SpecialRegister::LaneMaskEq>;
  case SpecialRegister::LaneMaskLe:
    return readLaneMask<SpecialRegister::LaneMaskLe>;
  case SpecialRegister::LaneMaskLt:
    return readLaneMask<SpecialRegister::LaneMaskLt>;
  case SpecialRegister::LaneMaskGe:
    return readLaneMask<SpecialRegister::LaneMaskGe>;
  case SpecialRegister::LaneMaskGt:
    return readLaneMask<SpecialRegister::LaneMaskGt>;
  case SpecialRegister::IsExplicitCluster:
    return readExplicitCluster;
  default:
    return sharedHandler(
        special, std::make_index_sequence<
                     size_t(SpecialRegister::CurrentGraphExec) + 1>());
  }
}
