// What the words of an instruction say about the work of one execution.

#ifndef TCC_TOOLS_PTXSIM_COUNT_FACTS_H
#define TCC_TOOLS_PTXSIM_COUNT_FACTS_H

#include "tools/ptxsim/ptx/Module.h"

#include <string>

namespace ptxsim {

struct InstructionFacts {
  bool isWait = false; ///< Made to wait for others.
  /// Of a product of matrices: the type of A, with " sparse" if it is, and what
  /// one warp does. A sparse product counts as if dense, as in data sheets.
  std::string tensorType;
  uint64_t tensorOperations = 0;
  uint64_t tensorSharedBytes = 0; ///< Of wgmma's operands.
  /// Of an addition, a multiplication or both: the type, and how many one lane
  /// does.
  std::string scalarType;
  uint64_t scalarOperations = 0;
};

InstructionFacts factsOf(const ptx::Function &function,
                         const ptx::Instruction &instruction);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_COUNT_FACTS_H
