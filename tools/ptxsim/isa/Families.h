// The families of instructions, each in the file of its name.

#ifndef TCC_TOOLS_PTXSIM_ISA_FAMILIES_H
#define TCC_TOOLS_PTXSIM_ISA_FAMILIES_H

#include "tools/ptxsim/isa/Form.h"

namespace ptxsim::isa {

Family integerFamily();
Family carryFamily();
Family floatFamily();
Family multiFunctionFamily();
Family halfFamily();
Family compareFamily();
Family logicFamily();
Family videoFamily();
Family convertFamily();
Family convertPackedFamily();
Family moveFamily();
Family controlFamily();
Family memoryFamily();
Family addressFamily();
Family collectiveFamily();
Family barrierFamily();
Family mbarrierFamily();
Family fenceFamily();
Family atomicFamily();
Family launchFamily();
Family mmaFamily();
Family wmmaFamily();
Family warpgroupFamily();
Family storeAsyncFamily();
Family copyAsyncFamily();
Family bulkFamily();
Family cachePolicyFamily();
Family bulkTensorFamily();
Family tensorMapFamily();

} // namespace ptxsim::isa

#endif // TCC_TOOLS_PTXSIM_ISA_FAMILIES_H
