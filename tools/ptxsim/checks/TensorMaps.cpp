// Comparing the uses of tensor maps with their changes.

#include "tools/ptxsim/checks/TensorMaps.h"

using namespace ptxsim;

void TensorMaps::acquire(GlobalRaces &races, uint64_t address, Actor actor,
                         const GlobalAccessor &by) {
  GlobalRaces::MapWrites writes = races.mapWrites(address, by);
  for (GlobalStamp &write : writes)
    if (write.epoch != 0 && !races.isReleased(write, by))
      write = GlobalStamp();
  std::vector<Acquired> &entries = acquired[address];
  for (Acquired &entry : entries)
    if (entry.actor == actor) {
      entry = {actor, by.epoch, writes};
      return;
    }
  entries.push_back({actor, by.epoch, writes});
}

static bool isSame(const GlobalStamp &a, const GlobalStamp &b) {
  return a.number == b.number && a.epoch == b.epoch && a.op == b.op;
}

bool TensorMaps::use(GlobalRaces &races, uint64_t address, Actor actor,
                     const GlobalAccessor &by, Fault &fault) const {
  GlobalRaces::MapWrites writes = races.mapWrites(address, by);
  auto entries = acquired.find(address);
  for (size_t i = 0; i < writes.size(); ++i) {
    bool sees = writes[i].epoch == 0;
    if (!sees && entries != acquired.end())
      for (const Acquired &entry : entries->second)
        sees |= isSame(entry.writes[i], writes[i]) &&
                (entry.actor == actor ||
                 by.knowledge->known[entry.actor] >= entry.epoch);
    if (sees)
      continue;
    races.describe(address + 8 * i, writes[i], false, true, by, fault);
    fault.check = "tensor map";
    fault.message =
        "expected a tensor map whose changes are fenced, got one that "
        "copies may still see as it was";
    fault.advice =
        "let the writer execute fence.proxy.tensormap::generic.release "
        "or tensormap.cp_fenceproxy, and after a barrier the user "
        "fence.proxy.tensormap::generic.acquire for this map";
    return false;
  }
  return true;
}
