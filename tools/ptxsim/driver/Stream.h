// Streams: which one a handle means, and putting work into it.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_STREAM_H
#define TCC_TOOLS_PTXSIM_DRIVER_STREAM_H

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim {

/// Finds the stream that `handle` means for the calling thread.
CUresult findStream(Call &call, CUstream handle,
                    std::shared_ptr<Stream> &stream);

/// Likewise; it must belong to the current context.
CUresult findOwnStream(Call &call, CUstream handle,
                       std::shared_ptr<Stream> &stream);

/// Puts `work` behind what is in `stream`. It starts when what is before has
/// come as far as `kind` says, and `extra` is met.
std::shared_ptr<Task> enqueue(Call &call, Stream &stream, WorkRef work,
                              EdgeKind kind = EdgeKind::Full,
                              std::vector<Dependency> extra = {},
                              int priority = 0);

/// Returns what a wait for `stream` waits for.
std::vector<std::shared_ptr<Task>> tailOf(const Stream &stream);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_DRIVER_STREAM_H
