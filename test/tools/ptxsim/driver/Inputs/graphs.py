"""Graphs of kernels: built, captured, instantiated, changed and launched."""

import ctypes

from cuda import (allocate, call, check, function, launch, launch_ex, load, make,
                  pointers, read, start)

TEXT = """
// word = word * factor + term
.visible .entry step(.param .u64 word, .param .u32 factor, .param .u32 term) {
  .reg .b64 %a;
  .reg .b32 %v, %f, %t;
  ld.param.u64 %a, [word];
  ld.param.u32 %f, [factor];
  ld.param.u32 %t, [term];
  ld.global.u32 %v, [%a];
  mad.lo.u32 %v, %v, %f, %t;
  st.global.u32 [%a], %v;
  ret;
}

// to = from + to
.visible .entry join(.param .u64 to, .param .u64 from) {
  .reg .b64 %a, %b;
  .reg .b32 %v, %w;
  ld.param.u64 %a, [to];
  ld.param.u64 %b, [from];
  ld.global.u32 %v, [%a];
  ld.global.u32 %w, [%b];
  add.u32 %v, %v, %w;
  st.global.u32 [%a], %v;
  ret;
}

.visible .entry fault(.param .u64 word) {
  .reg .b64 %a;
  ld.param.u64 %a, [word];
  st.global.u32 [%a+4096], 1;
  ret;
}
"""


class KernelNode(ctypes.Structure):
    _fields_ = [("function", ctypes.c_void_p), ("grid", ctypes.c_uint32 * 3),
                ("block", ctypes.c_uint32 * 3), ("shared", ctypes.c_uint32),
                ("parameters", ctypes.c_void_p), ("extra", ctypes.c_void_p),
                ("kernel", ctypes.c_void_p), ("context", ctypes.c_void_p)]


class MemsetNode(ctypes.Structure):
    _fields_ = [("to", ctypes.c_uint64), ("pitch", ctypes.c_size_t),
                ("value", ctypes.c_uint32), ("element", ctypes.c_uint32),
                ("width", ctypes.c_size_t), ("height", ctypes.c_size_t)]


def u32(value):
    return ctypes.c_uint32(value)


class Kernel(KernelNode):
    """Parameters of a node, which keep what they point to."""

    def __init__(self, kernel, arguments):
        self.arguments = arguments
        self.array = pointers(arguments)
        super().__init__(kernel, (1, 1, 1), (1, 1, 1), 0,
                         ctypes.cast(self.array, ctypes.c_void_p))


def handles(*values):
    return (ctypes.c_void_p * len(values))(*(value.value for value in values))


def instantiate(graph):
    return make("cuGraphInstantiateWithFlags", graph, ctypes.c_uint64(0))


def run(executable, stream=None):
    check("cuGraphLaunch", executable, stream)
    return call("cuStreamSynchronize", stream)


def built(step, join):
    """A memset, two steps after it, and their sum."""
    left, right = allocate(1), allocate(1)
    graph = make("cuGraphCreate", 0)
    fill = MemsetNode(left.value, 0, 5, 4, 1, 1)
    context = ctypes.c_void_p()
    check("cuCtxGetCurrent", ctypes.byref(context))
    zero = make("cuGraphAddMemsetNode", graph, None, ctypes.c_size_t(0),
                ctypes.byref(fill), context)
    first = make("cuGraphAddKernelNode_v2", graph, handles(zero),
                 ctypes.c_size_t(1),
                 ctypes.byref(Kernel(step, (left, u32(3), u32(1)))))
    second = make("cuGraphAddKernelNode_v2", graph, None, ctypes.c_size_t(0),
                  ctypes.byref(Kernel(step, (right, u32(2), u32(7)))))
    make("cuGraphAddKernelNode_v2", graph, handles(first, second),
         ctypes.c_size_t(2), ctypes.byref(Kernel(join, (left, right))))
    executable = instantiate(graph)
    run(executable)
    once = read(left, 1)[0]  # 5 * 3 + 1 + 7
    run(executable)
    print("built", once, read(left, 1)[0])  # … + 2 * 7 + 7
    check("cuGraphExecKernelNodeSetParams_v2", executable, first,
          ctypes.byref(Kernel(step, (left, u32(10), u32(0)))))
    run(executable)
    print("node set", read(left, 1)[0])  # 5 * 10 + 2 * 21 + 7
    check("cuGraphKernelNodeSetParams_v2", first,
          ctypes.byref(Kernel(step, (left, u32(100), u32(0)))))
    info = (ctypes.c_uint64 * 3)()
    check("cuGraphExecUpdate_v2", executable, graph, info)
    run(executable)
    print("updated", read(left, 1)[0])  # 5 * 100 + 2 * 49 + 7
    check("cuGraphExecDestroy", executable)
    check("cuGraphDestroy", graph)
    return left, right


def capture(step, join, term):
    """Two streams that an event forks and another one joins."""
    main, side = make("cuStreamCreate", 1), make("cuStreamCreate", 1)
    fork, joined = make("cuEventCreate", 2), make("cuEventCreate", 2)
    left, right = capture.words
    check("cuStreamBeginCapture_v2", main, 2)
    check("cuMemsetD32Async", left, 1, ctypes.c_size_t(1), main)
    check("cuEventRecord", fork, main)
    check("cuStreamWaitEvent", side, fork, 0)
    assert launch(step, (left, u32(2), u32(term)), stream=main) == "CUDA_SUCCESS"
    check("cuMemsetD32Async", right, 4, ctypes.c_size_t(1), side)
    assert launch(step, (right, u32(5), u32(0)), stream=side) == "CUDA_SUCCESS"
    check("cuEventRecord", joined, side)
    check("cuStreamWaitEvent", main, joined, 0)
    assert launch(join, (left, right), stream=main) == "CUDA_SUCCESS"
    graph = ctypes.c_void_p()
    check("cuStreamEndCapture", main, ctypes.byref(graph))
    return graph, main


def captured(step, join):
    capture.words = allocate(1), allocate(1)
    graph, stream = capture(step, join, 10)
    count = ctypes.c_size_t()
    check("cuGraphGetNodes", graph, None, ctypes.byref(count))
    executable = instantiate(graph)
    untouched = read(capture.words[0], 1)[0]
    run(executable, stream)
    print("captured", count.value, untouched, read(capture.words[0], 1)[0])
    other, _ = capture(step, join, 30)
    check("cuGraphExecUpdate_v2", executable, other, (ctypes.c_uint64 * 3)())
    run(executable, stream)
    print("recaptured", read(capture.words[0], 1)[0])


def chain(step):
    """Launches of one executable follow each other in a stream."""
    word, stream = allocate(1), make("cuStreamCreate", 1)
    graph = ctypes.c_void_p()
    check("cuStreamBeginCapture_v2", stream, 2)
    for term in range(1, 4):
        result = launch_ex(step, (word, u32(10), u32(term)), stream=stream)
        assert result == "CUDA_SUCCESS", result
    check("cuStreamEndCapture", stream, ctypes.byref(graph))
    executable = instantiate(graph)
    for _ in range(2):
        check("cuGraphLaunch", executable, stream)
    check("cuStreamSynchronize", stream)
    print("chain", read(word, 1)[0])


def failing(step, fault):
    """The error of a node is that of the context; nothing after it runs."""
    word, graph = allocate(1), make("cuGraphCreate", 0)
    node = make("cuGraphAddKernelNode_v2", graph, None, ctypes.c_size_t(0),
                ctypes.byref(Kernel(fault, (word,))))
    make("cuGraphAddKernelNode_v2", graph, handles(node), ctypes.c_size_t(1),
         ctypes.byref(Kernel(step, (word, u32(1), u32(1)))))
    executable = instantiate(graph)
    call("cuGraphLaunch", executable, None)
    print("failing", call("cuCtxSynchronize"), call("cuGraphDestroy", graph))


start()
module = load(TEXT)
kernels = {name: function(module, name) for name in ("step", "join", "fault")}
built(kernels["step"], kernels["join"])
captured(kernels["step"], kernels["join"])
chain(kernels["step"])
failing(kernels["step"], kernels["fault"])
