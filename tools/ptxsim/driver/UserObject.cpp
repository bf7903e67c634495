// Objects of the program that graphs keep alive.

#include "tools/ptxsim/driver/GraphEdges.h"
#include "tools/ptxsim/driver/Host.h"

namespace ptxsim::driver {

void dropReferences(Call &call, const std::shared_ptr<UserObject> &object,
                    unsigned count) {
  object->references -= std::min(count, object->references);
  if (object->references != 0)
    return;
  call.driver.userObjects.erase(object->handle);
  // On the thread of host functions, as on hardware: it may not call the
  // driver.
  CUhostFn destroy = object->destroy;
  void *pointer = object->pointer;
  call.scheduler().hostRunner().run([destroy, pointer] { destroy(pointer); });
}

PTXSIM_API cuUserObjectCreate(CUuserObject *result, void *pointer,
                              CUhostFn destroy, unsigned references,
                              unsigned flags) {
  return withDriver([&](Call &call) -> CUresult {
    if (!result || !isExecutable(destroy) || references == 0 || references > INT32_MAX ||
        flags != userObjectNoDestructorSync)
      return CUDA_ERROR_INVALID_VALUE;
    auto object = std::make_shared<UserObject>();
    object->destroy = destroy;
    object->pointer = pointer;
    object->references = references;
    *result = call.driver.userObjects.insert(object);
    return CUDA_SUCCESS;
  });
}

/// Runs `body(call, object)` for a call that names an object and a count.
template <typename Body>
static CUresult withObject(CUuserObject handle, unsigned count, Body body,
                           const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<UserObject> object = call.driver.userObjects.find(handle);
    if (!object || count == 0 || count > INT32_MAX)
      return CUDA_ERROR_INVALID_VALUE;
    return body(call, object);
  });
}

using ObjectRef = const std::shared_ptr<UserObject> &;

PTXSIM_API cuUserObjectRetain(CUuserObject handle, unsigned count) {
  return withObject(handle, count, [&](Call &, ObjectRef object) -> CUresult {
    object->references += count;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuUserObjectRelease(CUuserObject handle, unsigned count) {
  return withObject(handle, count,
                    [&](Call &call, ObjectRef object) -> CUresult {
                      if (count > object->references)
                        return CUDA_ERROR_INVALID_VALUE;
                      dropReferences(call, object, count);
                      return CUDA_SUCCESS;
                    });
}

PTXSIM_API cuGraphRetainUserObject(CUgraph graphHandle, CUuserObject handle,
                                   unsigned count, unsigned flags) {
  return withObject(handle, count, [&](Call &call, ObjectRef object) {
    std::shared_ptr<Graph> graph;
    CUresult found = findGraph(call, graphHandle, graph);
    if (found != CUDA_SUCCESS)
      return found;
    if ((flags & ~graphUserObjectMove) != 0 ||
        (flags == graphUserObjectMove && count > object->references))
      return CUDA_ERROR_INVALID_VALUE;
    graph->userObjects[object] += count;
    if (flags != graphUserObjectMove)
      object->references += count;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuGraphReleaseUserObject(CUgraph graphHandle, CUuserObject handle,
                                    unsigned count) {
  return withObject(handle, count, [&](Call &call, ObjectRef object) {
    std::shared_ptr<Graph> graph;
    CUresult found = findGraph(call, graphHandle, graph);
    if (found != CUDA_SUCCESS)
      return found;
    auto held = graph->userObjects.find(object);
    if (held == graph->userObjects.end() || count > held->second)
      return CUDA_ERROR_INVALID_VALUE;
    held->second -= count;
    if (held->second == 0)
      graph->userObjects.erase(held);
    dropReferences(call, object, count);
    return CUDA_SUCCESS;
  });
}

} // namespace ptxsim::driver
