"""Work in streams that something orders, or nothing.

Usage: streams.py [CASE...]
"""

import ctypes
import sys
import threading
import time

from cuda import call, check, function, launch, launch_ex, load, make

TEXT = """
// Writes i + 1 to word i.
.visible .entry writes(.param .u64 words) {
  .reg .b64 %a;
  .reg .b32 %i;
  ld.param.u64 %a, [words];
  mov.u32 %i, %tid.x;
  mad.wide.u32 %a, %i, 4, %a;
  add.u32 %i, %i, 1;
  st.global.u32 [%a], %i;
  ret;
}

// Writes i + 2 to word i.
.visible .entry renews(.param .u64 words) {
  .reg .b64 %a;
  .reg .b32 %i;
  ld.param.u64 %a, [words];
  mov.u32 %i, %tid.x;
  mad.wide.u32 %a, %i, 4, %a;
  add.u32 %i, %i, 2;
  st.global.u32 [%a], %i;
  ret;
}

// Copies word i to sum i.
.visible .entry reads(.param .u64 words, .param .u64 sums) {
  .reg .b64 %a, %s;
  .reg .b32 %i, %v;
  ld.param.u64 %a, [words];
  ld.param.u64 %s, [sums];
  mov.u32 %i, %tid.x;
  mad.wide.u32 %a, %i, 4, %a;
  mad.wide.u32 %s, %i, 4, %s;
  ld.global.u32 %v, [%a];
  st.global.u32 [%s], %v;
  ret;
}

// Writes the words, then lets others know by a flag.
.visible .entry tells(.param .u64 words, .param .u64 flag) {
  .reg .b64 %a, %f;
  .reg .b32 %i;
  ld.param.u64 %a, [words];
  ld.param.u64 %f, [flag];
  mov.u32 %i, %tid.x;
  mad.wide.u32 %a, %i, 4, %a;
  st.global.u32 [%a], %i;
  bar.sync 0;
  st.release.gpu.global.u32 [%f], 1;
  ret;
}

// Waits for the flag, then reads the words.
.visible .entry hears(.param .u64 words, .param .u64 sums, .param .u64 flag) {
  .reg .b64 %a, %s, %f;
  .reg .b32 %i, %v;
  .reg .pred %p;
  ld.param.u64 %a, [words];
  ld.param.u64 %s, [sums];
  ld.param.u64 %f, [flag];
  mov.u32 %i, %tid.x;
  mad.wide.u32 %a, %i, 4, %a;
  mad.wide.u32 %s, %i, 4, %s;
AGAIN:
  ld.acquire.gpu.global.u32 %v, [%f];
  setp.eq.u32 %p, %v, 0;
  @%p bra AGAIN;
  ld.global.u32 %v, [%a];
  st.global.u32 [%s], %v;
  ret;
}

// Lets the next kernel begin, then writes i + 1 to word i.
.visible .entry triggers(.param .u64 words) {
  .reg .b64 %a;
  .reg .b32 %i;
  ld.param.u64 %a, [words];
  griddepcontrol.launch_dependents;
  mov.u32 %i, %tid.x;
  mad.wide.u32 %a, %i, 4, %a;
  add.u32 %i, %i, 1;
  st.global.u32 [%a], %i;
  ret;
}

// Adds to the first word.
.visible .entry counts(.param .u64 words) {
  .reg .b64 %a;
  ld.param.u64 %a, [words];
  red.global.add.u32 [%a], 1;
  ret;
}
"""

COUNT = 64
BYTES = ctypes.c_size_t(4 * COUNT)
NON_BLOCKING = 1
LEGACY, PER_THREAD = ctypes.c_void_p(1), ctypes.c_void_p(2)


class Place:
    """A context with two streams, three buffers and kernels."""

    def __init__(self):
        self.context = make("cuCtxCreate_v2", 0, 0)
        module = load(TEXT)
        self.kernels = {name: function(module, name)
                        for name in ("writes", "renews", "reads", "tells", "hears", "triggers",
                                     "counts")}
        self.a, self.b = (make("cuStreamCreate", NON_BLOCKING) for _ in range(2))
        self.event = make("cuEventCreate", 2)
        self.words, self.sums, self.flag = (self.allocate() for _ in range(3))
        self.host = (ctypes.c_uint32 * COUNT)()
        self.pinned = make("cuMemAllocHost_v2", BYTES)
        check("cuCtxSynchronize")

    @staticmethod
    def allocate():
        address = ctypes.c_uint64()
        check("cuMemAlloc_v2", ctypes.byref(address), BYTES)
        check("cuMemsetD32_v2", address, 0, ctypes.c_size_t(COUNT))
        return address

    def allocate_now(self):
        address = self.allocate()
        check("cuStreamSynchronize", LEGACY)
        return address

    def run(self, kernel, *arguments, stream):
        result = launch(self.kernels[kernel], arguments, block=COUNT, stream=stream)
        assert result in ("CUDA_SUCCESS", "CUDA_ERROR_LAUNCH_FAILED"), result

    def write(self, stream):
        self.run("writes", self.words, stream=stream)

    def renew(self, stream):
        self.run("renews", self.words, stream=stream)

    def read(self, stream):
        self.run("reads", self.words, self.sums, stream=stream)

    def write_and_read(self, stream):
        self.write(stream)
        self.read(stream)

    def follow(self, later, earlier):
        """Lets `later` wait for an event behind what is in `earlier`."""
        call("cuEventRecord", self.event, earlier)
        call("cuStreamWaitEvent", later, self.event, 0)

    def fetch(self, stream):
        call("cuMemcpyDtoHAsync_v2", self.pinned, self.words, BYTES, stream)

    def fill(self, stream):
        call("cuMemsetD32Async", self.words, 7, ctypes.c_size_t(COUNT), stream)

    def give(self, stream):
        call("cuMemcpyHtoDAsync_v2", self.words, self.pinned, BYTES, stream)

    def move(self, stream):
        call("cuMemcpyDtoDAsync_v2", self.sums, self.words, BYTES, stream)


CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


# Pairs of work, the later one in another stream.
PAIRS = {
    "kernels": ("write", "read"), "kernels_writing": ("write", "renew"),
    "kernels_overwriting": ("read", "write"),
    "kernel_fetch": ("write", "fetch"), "fetch_kernel": ("fetch", "write"),
    "kernel_set": ("read", "fill"), "set_kernel": ("fill", "read"),
    "kernel_copy": ("read", "give"), "copy_kernel": ("give", "read"),
    "copies": ("give", "move"), "copies_overwriting": ("move", "give"),
    "sets": ("fill", "fill"),
    "both_read": ("read", "fetch"),
}


def make_pair(name, first, second):
    def unordered(place):
        getattr(place, first)(place.a)
        getattr(place, second)(place.b)

    def ordered(place):
        getattr(place, first)(place.a)
        place.follow(place.b, place.a)
        getattr(place, second)(place.b)

    CASES[name] = unordered
    CASES[name + "_ordered"] = ordered


for _name, (_first, _second) in PAIRS.items():
    make_pair(_name, _first, _second)


def make_order(name, order):
    """A write, what `order` does, a read."""
    def run(place):
        place.write(place.a)
        order(place)
        place.read(place.b)
    CASES[name] = run


@case
def same_stream(place):
    place.write(place.a)
    place.read(place.a)


@case
def through_a_third(place):
    third = make("cuStreamCreate", NON_BLOCKING)
    place.write(place.a)
    place.follow(third, place.a)
    place.follow(place.b, third)
    place.read(place.b)


@case
def event_too_early(place):
    call("cuEventRecord", place.event, place.a)
    place.write(place.a)
    call("cuStreamWaitEvent", place.b, place.event, 0)
    place.read(place.b)


@case
def event_never_recorded(place):
    place.write(place.a)
    call("cuStreamWaitEvent", place.b, place.event, 0)
    place.read(place.b)


@case
def wait_too_late(place):
    place.write(place.a)
    call("cuEventRecord", place.event, place.a)
    place.read(place.b)
    call("cuStreamWaitEvent", place.b, place.event, 0)


@case
def synchronised_other(place):
    place.write(place.a)
    call("cuStreamSynchronize", place.b)
    place.read(place.b)


make_order("synchronised", lambda place: call("cuStreamSynchronize", place.a))
make_order("synchronised_all", lambda place: call("cuCtxSynchronize"))


@case
def synchronised_event(place):
    place.write(place.a)
    call("cuEventRecord", place.event, place.a)
    call("cuEventSynchronize", place.event)
    place.read(place.b)


@case
def queried(place):
    place.write(place.a)
    while call("cuStreamQuery", place.a) == "CUDA_ERROR_NOT_READY":
        pass
    place.read(place.b)


@case
def queried_event(place):
    place.write(place.a)
    call("cuEventRecord", place.event, place.a)
    while call("cuEventQuery", place.event) == "CUDA_ERROR_NOT_READY":
        pass
    place.read(place.b)


@case
def other_thread_waited(place):
    def wait():
        check("cuCtxSetCurrent", place.context)
        call("cuStreamSynchronize", place.a)
    place.write(place.a)
    thread = threading.Thread(target=wait)
    thread.start()
    thread.join()
    place.read(place.b)


@case
def other_thread(place):
    def read():
        check("cuCtxSetCurrent", place.context)
        place.read(place.b)
    place.write(place.a)
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()


@case
def synchronous_copy(place):
    place.write(place.a)
    place.follow(LEGACY, place.a)
    call("cuMemcpyDtoH_v2", place.host, place.words, BYTES)
    place.read(place.b)


@case
def synchronous_copy_races(place):
    place.write(place.a)
    call("cuMemcpyDtoH_v2", place.host, place.words, BYTES)


@case
def copy_to_pageable(place):
    """Keeps the host waiting although it is asked for as an asynchronous one."""
    place.write(place.a)
    call("cuMemcpyDtoHAsync_v2", place.host, place.words, BYTES, place.a)
    place.read(place.b)


@case
def copy_on_device(place):
    """Does not keep the host waiting although it is a synchronous one."""
    call("cuMemcpyDtoD_v2", place.sums, place.words, BYTES)
    place.run("writes", place.sums, stream=place.b)


@case
def memset_in_legacy(place):
    call("cuMemsetD32_v2", place.words, 7, ctypes.c_size_t(COUNT))
    place.read(place.b)


@case
def legacy_and_blocking(place):
    blocking = make("cuStreamCreate", 0)
    place.write(LEGACY)
    place.read(blocking)
    place.write(LEGACY)


@case
def blocking_by_legacy(place):
    first, second = make("cuStreamCreate", 0), make("cuStreamCreate", 0)
    place.write(first)
    call("cuMemsetD32_v2", place.sums, 0, ctypes.c_size_t(COUNT))
    place.read(second)


@case
def two_blocking(place):
    first, second = make("cuStreamCreate", 0), make("cuStreamCreate", 0)
    place.write(first)
    place.read(second)


@case
def legacy_and_thread(place):
    place.write(LEGACY)
    place.read(PER_THREAD)
    place.write(LEGACY)


@case
def thread_streams(place):
    def read():
        check("cuCtxSetCurrent", place.context)
        place.read(PER_THREAD)
    place.write(PER_THREAD)
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()


@case
def elapsed_time(place):
    events = [make("cuEventCreate", 0) for _ in range(2)]
    call("cuEventRecord", events[0], place.a)
    place.write(place.a)
    call("cuEventRecord", events[1], place.a)
    while call("cuEventElapsedTime", ctypes.byref(ctypes.c_float()),
               *events) == "CUDA_ERROR_NOT_READY":
        pass
    place.read(place.b)


@case
def destroyed_stream(place):
    stream = make("cuStreamCreate", 0)
    place.write(stream)
    check("cuStreamDestroy_v2", stream)
    place.read(LEGACY)


@case
def waited_value(place):
    place.write(place.a)
    call("cuStreamWriteValue32_v2", place.a, place.flag, 1, 0)
    call("cuStreamWaitValue32_v2", place.b, place.flag, 1, 0)
    place.read(place.b)


@case
def value_not_waited(place):
    place.write(place.a)
    call("cuStreamWriteValue32_v2", place.a, place.flag, 1, 0)
    place.read(place.b)


HOST_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


@case
def host_function(place):
    done = threading.Event()
    place.keep = HOST_FUNCTION(lambda _: done.set())
    place.write(place.a)
    call("cuLaunchHostFunc", place.a, place.keep, None)
    while not done.wait(0.01):
        call("cuStreamQuery", place.a)
    place.read(place.b)


@case
def attached(place):
    managed = ctypes.c_uint64()
    check("cuMemAllocManaged", ctypes.byref(managed), BYTES, 1)
    place.run("writes", managed, stream=place.a)
    call("cuStreamAttachMemAsync", place.a, managed, ctypes.c_size_t(0), 1)
    place.follow(place.b, place.a)
    place.run("reads", managed, place.sums, stream=place.b)


@case
def flag_of_kernels(place):
    place.write(place.a)
    place.run("tells", place.sums, place.flag, stream=place.a)
    sums = place.allocate_now()
    place.run("hears", place.words, sums, place.flag, stream=place.b)


@case
def flag_then_another_kernel(place):
    """What comes before the grid that tells, and after that which hears."""
    sums = place.allocate_now()
    place.write(place.a)
    place.run("tells", sums, place.flag, stream=place.a)
    place.run("hears", sums, place.sums, place.flag, stream=place.b)
    place.read(place.b)


@case
def flag_without_wait(place):
    place.run("tells", place.words, place.flag, stream=place.a)
    place.read(place.b)


def set_flag(place):
    """Lets a kernel that runs read what was copied meanwhile."""
    place.run("hears", place.words, place.sums, place.flag, stream=place.a)
    place.give(place.b)


@case
def flag_by_copy(place):
    one = ctypes.c_uint32(1)
    set_flag(place)
    call("cuMemcpyHtoDAsync_v2", place.flag, ctypes.byref(one), ctypes.c_size_t(4),
         place.b)


@case
def flag_by_value(place):
    set_flag(place)
    call("cuStreamWriteValue32_v2", place.b, place.flag, 1, 0)


@case
def flag_by_large_copy(place):
    """A copy of many bytes is no flag."""
    set_flag(place)
    call("cuMemsetD32Async", place.flag, 1, ctypes.c_size_t(COUNT), place.b)


def share_flag():
    shared = make("cuMemAllocHost_v2", BYTES)
    word = ctypes.c_uint32.from_address(shared.value)
    word.value = 0
    return ctypes.c_uint64(shared.value), word


@case
def flag_by_host(place):
    flag, word = share_flag()
    place.run("hears", place.words, place.sums, flag, stream=place.a)
    place.give(place.b)
    call("cuStreamSynchronize", place.b)
    word.value = 1


@case
def flag_by_host_then_another_kernel(place):
    flag, word = share_flag()
    place.run("hears", place.sums, place.allocate_now(), flag, stream=place.a)
    place.read(place.a)
    place.give(place.b)
    call("cuStreamSynchronize", place.b)
    word.value = 1


@case
def flag_to_host(place):
    flag, word = share_flag()
    place.write(place.a)
    place.run("tells", place.sums, flag, stream=place.a)
    while word.value == 0:
        time.sleep(0.01)
    place.run("reads", place.words, place.allocate_now(), stream=place.b)


@case
def value_to_host(place):
    flag, word = share_flag()
    place.write(place.a)
    call("cuStreamWriteValue32_v2", place.a, flag, 1, 0)
    while word.value == 0:
        time.sleep(0.01)
    place.read(place.b)


@case
def copy_to_host(place):
    """The host polls the copy of a flag."""
    flag, word = share_flag()
    place.fill(place.a)
    call("cuMemcpyDtoHAsync_v2", flag, place.words, ctypes.c_size_t(4), place.a)
    while word.value == 0:
        time.sleep(0.01)
    place.read(place.b)


@case
def dependent(place):
    """What another stream waits for is all of a programmatic dependent launch."""
    place.run("triggers", place.words, stream=place.a)
    arguments = (place.sums,)
    launch_ex(place.kernels["writes"], arguments, block=COUNT, stream=place.a,
              programmatic=(1,))
    place.follow(place.b, place.a)
    place.write(place.b)
    place.run("writes", place.sums, stream=place.b)


@case
def dependent_unordered(place):
    place.run("triggers", place.words, stream=place.a)
    launch_ex(place.kernels["writes"], (place.sums,), block=COUNT, stream=place.a,
              programmatic=(1,))
    place.read(place.b)


@case
def counter_and_copy(place):
    place.run("counts", place.flag, stream=place.a)
    call("cuMemcpyDtoHAsync_v2", place.pinned, place.flag, ctypes.c_size_t(4), place.b)
    place.read(place.b)


@case
def both_count(place):
    place.run("counts", place.words, stream=place.a)
    place.run("counts", place.words, stream=place.b)


@case
def freed_in_order(place):
    address = ctypes.c_uint64()
    check("cuMemAllocAsync", ctypes.byref(address), BYTES, place.a)
    place.run("writes", address, stream=place.a)
    place.follow(place.b, place.a)
    call("cuMemFreeAsync", address, place.b)


@case
def freed_in_use(place):
    address = ctypes.c_uint64()
    check("cuMemAllocAsync", ctypes.byref(address), BYTES, place.a)
    place.run("writes", address, stream=place.a)
    call("cuMemFreeAsync", address, place.b)


@case
def freed_by_host(place):
    address = ctypes.c_uint64()
    check("cuMemAlloc_v2", ctypes.byref(address), BYTES)
    place.run("writes", address, stream=place.a)
    call("cuMemFree_v2", address)
    place.read(place.b)


@case
def rows_beside_each_other(place):
    """Two boxes whose rows lie between each other's."""
    class Rows(ctypes.Structure):
        _fields_ = [("x", ctypes.c_size_t), ("y", ctypes.c_size_t),
                    ("type", ctypes.c_uint32), ("host", ctypes.c_void_p),
                    ("device", ctypes.c_uint64), ("array", ctypes.c_void_p),
                    ("pitch", ctypes.c_size_t)]

    class Copy(ctypes.Structure):
        _fields_ = [("source", Rows), ("target", Rows), ("width", ctypes.c_size_t),
                    ("height", ctypes.c_size_t)]

    for stream, column in ((place.a, 0), (place.b, 12)):
        source = Rows(0, 0, 1, place.pinned, 0, None, 12)
        target = Rows(column, 0, 2, None, place.words.value, None, 64)
        check("cuMemcpy2DAsync_v2", ctypes.byref(Copy(source, target, 12, 4)), stream)


def capture(place, stream, body):
    check("cuStreamBeginCapture_v2", stream, 2)
    body()
    graph = ctypes.c_void_p()
    check("cuStreamEndCapture", stream, ctypes.byref(graph))
    return make("cuGraphInstantiateWithFlags", graph, ctypes.c_uint64(0))


@case
def captured_fork(place):
    """Two branches, then what waits for both."""
    def body():
        place.follow(place.b, place.a)
        place.write(place.a)
        place.run("writes", place.sums, stream=place.b)
        place.follow(place.a, place.b)
        place.read(place.a)
    executable = capture(place, place.a, body)
    call("cuGraphLaunch", executable, place.a)
    call("cuGraphLaunch", executable, place.a)


@case
def captured_branches(place):
    def body():
        place.follow(place.b, place.a)
        place.write(place.a)
        place.read(place.b)
        place.follow(place.a, place.b)
    call("cuGraphLaunch", capture(place, place.a, body), place.a)


@case
def graph_and_stream(place):
    executable = capture(place, place.a, lambda: place.write(place.a))
    call("cuGraphLaunch", executable, place.a)
    place.read(place.b)


@case
def graph_then_stream(place):
    executable = capture(place, place.a, lambda: place.write(place.a))
    call("cuGraphLaunch", executable, place.a)
    place.follow(place.b, place.a)
    place.read(place.b)


@case
def one_graph_in_two_streams(place):
    """Launches of one executable graph never overlap."""
    executable = capture(place, place.a, lambda: place.write_and_read(place.a))
    call("cuGraphLaunch", executable, place.a)
    call("cuGraphLaunch", executable, place.b)


@case
def two_graphs(place):
    executables = [capture(place, place.a, lambda: place.write_and_read(place.a))
                   for _ in range(2)]
    call("cuGraphLaunch", executables[0], place.a)
    call("cuGraphLaunch", executables[1], place.b)


@case
def graph_memory(place):
    """Memory of a graph begins anew with each launch."""
    def body():
        address = ctypes.c_uint64()
        check("cuMemAllocAsync", ctypes.byref(address), BYTES, place.a)
        place.run("writes", address, stream=place.a)
        place.run("reads", address, place.sums, stream=place.a)
        check("cuMemFreeAsync", address, place.a)
    executable = capture(place, place.a, body)
    call("cuGraphLaunch", executable, place.a)
    call("cuGraphLaunch", executable, place.b)


@case
def two_contexts(place):
    place.write(place.a)
    other = make("cuCtxCreate_v2", 0, 0)
    stream = make("cuStreamCreate", NON_BLOCKING)
    check("cuMemsetD32Async", place.words, 7, ctypes.c_size_t(COUNT), stream)
    result = call("cuCtxSynchronize")
    check("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))
    return result if result != "CUDA_SUCCESS" else None


@case
def long_ago(place):
    """Many launches in one stream, the first of which nothing orders."""
    place.write(place.a)
    for _ in range(1000):
        place.run("writes", place.sums, stream=place.a)
    call("cuMemcpyDtoHAsync_v2", place.pinned, place.words, BYTES, place.b)


@case
def many_streams(place):
    """More streams than are told apart, each of which waits for one."""
    streams = [make("cuStreamCreate", NON_BLOCKING) for _ in range(400)]
    for stream in streams:
        place.run("writes", place.allocate_now(), stream=stream)
    for stream in streams:
        place.write(place.a)
        place.follow(stream, place.a)
        place.read(stream)
        place.follow(place.a, stream)


@case
def many_unordered(place):
    """More launches than are known at once, in two streams."""
    other = place.allocate_now()
    for _ in range(5000):
        place.write(place.a)
        place.run("writes", other, stream=place.b)


RESULTS = {"CUDA_SUCCESS": "ordered", "CUDA_ERROR_LAUNCH_FAILED": "race",
           "CUDA_ERROR_ILLEGAL_ADDRESS": "use after free"}


def main(names):
    check("cuInit", 0)
    for name in names or CASES:
        place = Place()
        result = CASES[name](place) or call("cuCtxSynchronize")
        print(f"{name}: {RESULTS.get(result, result)}")
        call("cuCtxDestroy_v2", place.context)


if __name__ == "__main__":
    main(sys.argv[1:])
