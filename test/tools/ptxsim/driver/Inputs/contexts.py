"""Several threads and contexts at once, and errors of one of them.

Usage: contexts.py
"""

import ctypes
import threading

from cuda import (allocate, call, check, function, launch, load, make, read,
                  start)

TEXT = """
.visible .entry add(.param .u64 data, .param .u64 from, .param .u32 n) {
  .reg .pred %p;
  .reg .b32 %i, %n, %x, %y;
  .reg .b64 %to, %from;
  ld.param.u64 %to, [data];
  ld.param.u64 %from, [from];
  ld.param.u32 %n, [n];
  mov.u32 %i, %ctaid.x;
  mov.u32 %x, %ntid.x;
  mov.u32 %y, %tid.x;
  mad.lo.u32 %i, %i, %x, %y;
  setp.ge.u32 %p, %i, %n;
  @%p ret;
  mad.wide.u32 %to, %i, 4, %to;
  mad.wide.u32 %from, %i, 4, %from;
  ld.global.u32 %x, [%to];
  ld.global.u32 %y, [%from];
  add.u32 %x, %x, %y;
  st.global.u32 [%to], %x;
  ret;
}

.visible .entry fault() {
  .reg .b64 %a;
  mov.u64 %a, 64;
  st.global.u32 [%a], 1;
  ret;
}
"""

WORDS, ROUNDS = 300, 8


class Worker:
    """A context with a stream and two buffers."""

    def __init__(self, number):
        self.context = make("cuCtxCreate_v2", 0, 0)
        self.number = number
        self.module = load(TEXT)
        self.add = function(self.module, "add")
        self.stream = make("cuStreamCreate", 1)
        self.done = make("cuEventCreate", 2)
        self.data, self.step = allocate(WORDS), allocate(WORDS)
        check("cuMemsetD32_v2", self.step, number + 1, ctypes.c_size_t(WORDS))
        check("cuCtxSynchronize")
        check("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))

    def enqueue(self, other):
        """Adds `step` to `data`, then that of `other`, which another context
        fills, after the event of `other` if there is one."""
        check("cuCtxPushCurrent_v2", self.context)
        for _ in range(ROUNDS):
            self.launch(self.step)
        if other is not None:
            check("cuStreamWaitEvent", self.stream, other.done, 0)
            self.launch(other.data)
        check("cuEventRecord", self.done, self.stream)
        check("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))

    def launch(self, source):
        result = launch(self.add, (self.data, source, ctypes.c_uint32(WORDS)),
                        grid=(WORDS + 63) // 64, block=64, stream=self.stream)
        assert result == "CUDA_SUCCESS", result

    def result(self):
        check("cuCtxPushCurrent_v2", self.context)
        check("cuStreamSynchronize", self.stream)
        values = read(self.data, WORDS)
        check("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))
        assert len(set(values)) == 1, values
        return values[0]


def chain(workers):
    """Events order work of one context after that of another."""
    for worker, other in zip(workers, [None] + workers):
        worker.enqueue(other)
    print("chain", [worker.result() for worker in reversed(workers)])


def threads(workers):
    """Each thread has a context of its own, current in it alone."""
    results = {}

    def body(worker):
        for _ in range(3):
            worker.enqueue(None)
            results[worker.number] = worker.result()

    running = [threading.Thread(target=body, args=(worker,))
               for worker in workers]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    print("threads", [results[worker.number] for worker in workers])


def shared(worker):
    """Threads share a context, each with a stream of its own."""
    check("cuCtxSetCurrent", worker.context)
    buffers = [allocate(WORDS) for _ in range(4)]
    check("cuCtxSetCurrent", None)

    def body(data):
        check("cuCtxSetCurrent", worker.context)
        stream = make("cuStreamCreate", 1)
        for _ in range(ROUNDS):
            result = launch(worker.add,
                            (data, worker.step, ctypes.c_uint32(WORDS)),
                            grid=5, block=64, stream=stream)
            assert result == "CUDA_SUCCESS", result
        check("cuStreamSynchronize", stream)
        check("cuStreamDestroy_v2", stream)

    running = [threading.Thread(target=body, args=(data,)) for data in buffers]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    check("cuCtxSetCurrent", worker.context)
    print("shared", [read(data, WORDS)[WORDS - 1] for data in buffers])


def failure(broken, healthy):
    """A fault ends one context; the other one goes on, before and after the
    first is destroyed."""
    check("cuCtxSetCurrent", broken.context)
    kernel = function(broken.module, "fault")
    print("launch", launch(kernel) in ("CUDA_SUCCESS",
                                       "CUDA_ERROR_ILLEGAL_ADDRESS"))
    print("synchronise", call("cuCtxSynchronize"))
    address, handle = ctypes.c_uint64(), ctypes.c_void_p()
    calls = [
        ("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(4)),
        ("cuMemFree_v2", broken.data),
        ("cuMemsetD32_v2", broken.data, 0, ctypes.c_size_t(1)),
        ("cuStreamCreate", ctypes.byref(handle), 0),
        ("cuStreamSynchronize", broken.stream),
        ("cuStreamQuery", broken.stream),
        ("cuEventRecord", broken.done, broken.stream),
        ("cuEventSynchronize", broken.done),
        ("cuModuleLoadData", ctypes.byref(handle), b""),
        ("cuModuleGetFunction", ctypes.byref(handle), broken.module, b"add"),
        ("cuLaunchKernel", kernel, 1, 1, 1, 1, 1, 1, 0, None, None, None),
    ]
    for name, *arguments in calls:
        print(name, call(name, *arguments))
    check("cuCtxSetCurrent", healthy.context)
    before = healthy.result()
    healthy.enqueue(None)
    print("other", healthy.result() - before)
    check("cuCtxDestroy_v2", broken.context)
    healthy.enqueue(None)
    print("other", healthy.result() - before)


start()
workers = [Worker(number) for number in range(4)]
chain(workers)
threads(workers)
shared(workers[0])
failure(workers[1], workers[2])
for worker in workers:
    if worker is not workers[1]:
        check("cuCtxDestroy_v2", worker.context)
