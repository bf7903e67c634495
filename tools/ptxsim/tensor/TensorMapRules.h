// What must hold of a tensor map, for those who write and read its bytes.

#ifndef TCC_TOOLS_PTXSIM_TENSOR_TENSORMAPRULES_H
#define TCC_TOOLS_PTXSIM_TENSOR_TENSORMAPRULES_H

#include "tools/ptxsim/tensor/TensorMap.h"

namespace ptxsim {

/// Returns "expected <rule>, got <value>".
std::string expected(const std::string &rule, const std::string &value);

/// Returns the value as in "0x7f00".
std::string inHex(uint64_t value);

/// \name Rules for one value; empty, or what is wrong.
/// @{
std::string checkType(uint32_t value);
std::string checkInterleave(uint32_t value);
std::string checkSwizzle(uint32_t value);
std::string checkL2Promotion(uint32_t value);
std::string checkFill(uint32_t value);
std::string checkRank(uint32_t value);
std::string checkAddress(uint64_t value);
std::string checkDim(uint32_t dimension, uint64_t value);
std::string checkStride(uint32_t dimension, uint64_t value);
std::string checkBox(uint32_t dimension, uint64_t value);
std::string checkElementStride(uint32_t dimension, uint64_t value);
/// @}

/// Checks all that a copy relies on. The enumerations must be in range.
std::string checkMap(const TensorMap &map);

/// Checks that rows along dimension 0 do not overlap. Only the driver asks for
/// this, not a copy.
std::string checkRows(const TensorMap &map);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_TENSOR_TENSORMAPRULES_H
