// What happens to tensor maps, for the checks that are on.

#include "tools/ptxsim/checks/TensorMaps.h"
#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/core/Observe.h"

using namespace ptxsim;

static constexpr uint64_t mapBytes = 128;

namespace {
/// A warp that touches a map, for the checks of races.
class MapUser {
public:
  MapUser(Warp &warp, const Op &op, int lane)
      : warp(warp), op(op), lane(lane),
        races(warp.block->cluster->races.get()) {}

  bool isChecked() const { return races != nullptr; }
  WarpClock &clock() const { return races->clockOf(warp); }
  TensorMaps &maps() const { return *races->tensorMaps; }
  GlobalRaces &global() const {
    return *warp.block->cluster->grid->globalRaces;
  }
  GlobalAccessor accessor() const;
  bool access(const uint8_t *map, bool isWrite);
  bool use(const uint8_t *map);

private:
  bool stop(Fault fault) {
    warp.worker->stop(warp, op, std::move(fault), lane);
    return false;
  }

  Warp &warp;
  const Op &op;
  int lane;
  ClusterRaces *races;
};
} // namespace

GlobalAccessor MapUser::accessor() const {
  GlobalAccessor by;
  by.cluster = races;
  by.knowledge = &clock().knowledge;
  by.warp = races->firstWarp + clock().actor;
  by.epoch = clock().epoch;
  by.op = warp.now.code->numberOf(op);
  by.lane = lane < 0 ? 0 : uint32_t(lane);
  by.many = true; // Maps are changed by warps as a whole.
  return by;
}

/// Compares an access of a map, in shared or global memory, with those before.
bool MapUser::access(const uint8_t *map, bool isWrite) {
  const Block &block = *warp.block;
  Fault fault;
  if (map >= block.shared && map < block.shared + block.sharedBytes) {
    Accessor by = races->accessor(warp, op, lane < 0 ? 0 : lane);
    by.laneSync = by.epoch + 1;
    return races->access(*warp.block, uint32_t(map - block.shared), mapBytes,
                         isWrite, by, fault) ||
           stop(std::move(fault));
  }
  uint64_t address = reinterpret_cast<uint64_t>(map);
  const Range *range = warp.worker->findRange(address, mapBytes);
  if (range == nullptr || !range->writable) // A parameter or a constant.
    return true;
  return global().access(address, mapBytes, isWrite, accessor(), fault) ||
         stop(std::move(fault));
}

bool MapUser::use(const uint8_t *map) {
  Fault fault;
  return access(map, false) &&
         (maps().use(global(), reinterpret_cast<uint64_t>(map), clock().actor,
                     accessor(), fault) ||
          stop(std::move(fault)));
}

bool ptxsim::observeTensorMap(Warp &warp, const Op &op, int lane,
                              const uint8_t *map) {
  if (warp.checks != nullptr &&
      !checkMemory(warp, op, lane, map, mapBytes, "the tensor map"))
    return false;
  MapUser user(warp, op, lane);
  return !user.isChecked() || user.use(map);
}

bool ptxsim::observeTensorMapChange(Warp &warp, const Op &op, int lane,
                                    uint8_t *map) {
  if (warp.checks != nullptr)
    defineMemory(*warp.block, &warp, map, mapBytes);
  MapUser user(warp, op, lane);
  return !user.isChecked() || user.access(map, true);
}

void ptxsim::observeTensorMapRelease(Warp &warp) {
  MapUser user(warp, *warp.now.pc, -1);
  if (!user.isChecked())
    return;
  GlobalAccessor by = user.accessor();
  user.global().releaseMaps(by.warp, by.epoch);
  ++user.clock().epoch;
}

bool ptxsim::observeTensorMapCopy(Warp &warp, const Op &op, int lane,
                                  uint8_t *target, const uint8_t *source) {
  MapUser user(warp, op, lane);
  if (user.isChecked() && !user.access(source, false))
    return false;
  if (!observeTensorMapChange(warp, op, lane, target))
    return false;
  observeTensorMapRelease(warp);
  return true;
}

void ptxsim::observeTensorMapAcquire(Warp &warp, const Op &op,
                                     const uint8_t *map) {
  MapUser user(warp, op, -1);
  if (user.isChecked())
    user.maps().acquire(user.global(), reinterpret_cast<uint64_t>(map),
                        user.clock().actor, user.accessor());
}
