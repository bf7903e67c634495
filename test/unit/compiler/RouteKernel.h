// Routers as kernels.

#ifndef TCC_TEST_UNIT_COMPILER_ROUTEKERNEL_H
#define TCC_TEST_UNIT_COMPILER_ROUTEKERNEL_H

#include "test/unit/compiler/KernelRunner.h"
#include "test/unit/compiler/Router.h"

namespace mlir::tcc::x86 {

/// The attributes of a router, as `kernel.route` and `transformer.route` have
/// them.
std::string routeAttributes(const Router &router);

/// A function of one kernel.route.
std::string routeText(const Router &router, int64_t experts, bool hasBias);

/// Routes rows of logits by the kernel in `routeText`.
std::vector<Routing> runRoute(const KernelRunner &kernel, const Router &router,
                              const std::vector<std::vector<float>> &logits,
                              const std::vector<float> &bias);

} // namespace mlir::tcc::x86

#endif // TCC_TEST_UNIT_COMPILER_ROUTEKERNEL_H
