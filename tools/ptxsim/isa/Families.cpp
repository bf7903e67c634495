// The instruction set: all families.

#include "tools/ptxsim/isa/Families.h"

using namespace ptxsim::isa;

const std::vector<Family> &ptxsim::isa::families() {
  static const std::vector<Family> all = {
      integerFamily(),       carryFamily(),      floatFamily(),
      multiFunctionFamily(), halfFamily(),       compareFamily(),
      logicFamily(),         convertFamily(),    convertPackedFamily(),
      videoFamily(),         moveFamily(),       memoryFamily(),
      addressFamily(),       controlFamily(),    barrierFamily(),
      collectiveFamily(),    atomicFamily(),     fenceFamily(),
      mbarrierFamily(),      launchFamily(),     copyAsyncFamily(),
      bulkFamily(),          bulkTensorFamily(), tensorMapFamily(),
      cachePolicyFamily(),
      storeAsyncFamily(),    mmaFamily(),        wmmaFamily(),
      warpgroupFamily(),
  };
  return all;
}
