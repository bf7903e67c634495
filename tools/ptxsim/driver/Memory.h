// Allocating and freeing memory.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_MEMORY_H
#define TCC_TOOLS_PTXSIM_DRIVER_MEMORY_H

#include "tools/ptxsim/driver/Driver.h"

#include <initializer_list>

namespace ptxsim::driver {

/// Allocates for the current context; `name` is for messages.
CUresult allocate(Call &call, uint64_t bytes, MemoryKind kind,
                  uint64_t &address, const char *name = "");

/// Finds the allocation that begins at `address` and is of one of `kinds`.
/// Complaints begin with `name`.
CUresult findAllocation(Call &call, const char *name, uint64_t address,
                        std::initializer_list<MemoryKind> kinds,
                        Allocation &allocation);

/// Frees what begins at `address`, of a pool and of a graph, too.
void releaseAllocation(Driver &driver, uint64_t address);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_MEMORY_H
