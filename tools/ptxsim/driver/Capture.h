// Capturing streams into graphs.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_CAPTURE_H
#define TCC_TOOLS_PTXSIM_DRIVER_CAPTURE_H

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim::driver {

/// Refuses work in the default stream while a stream that orders itself with it
/// is under capture, which this invalidates.
CUresult checkImplicit(Call &call, const Stream &stream);

/// Refuses a wait for or a query of a stream under capture.
CUresult checkNotCapturing(const Stream &stream);

/// Refuses calls that a capture of the process or of the thread forbids, which
/// this invalidates.
CUresult checkUnsafe(Call &call);

/// Adds `work` as a node behind what was captured of `stream`.
CUresult captureWork(Stream &stream, WorkRef work, EdgeKind kind,
                     std::shared_ptr<GraphNode> &node);

/// Makes what is captured of `stream` next depend on `dependencies`, of
/// `capture`; `stream` joins that if it is not under capture yet.
CUresult joinCapture(Call &call, const std::shared_ptr<Stream> &stream,
                     const std::shared_ptr<Capture> &capture,
                     const std::vector<NodeDependency> &dependencies);

/// Ends what is going on in a stream that is destroyed.
void abandonCapture(const Stream &stream);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_CAPTURE_H
