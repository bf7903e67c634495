"""What callers and kernels do wrong; nothing of it ends the process.

Each case has a context of its own and prints what the calls answered.
"""

import ctypes
import sys

from cuda import (allocate, call, check, function, launch, load, make, read)

TEXT = """
.visible .entry store(.param .u64 to, .param .u32 value) {
  .reg .b64 %a;
  .reg .b32 %v;
  ld.param.u64 %a, [to];
  ld.param.u32 %v, [value];
  st.global.u32 [%a], %v;
  ret;
}

// Adds 1 to the word after many steps.
.visible .entry slow(.param .u64 to) {
  .reg .pred %p;
  .reg .b32 %i, %v;
  .reg .b64 %a;
  ld.param.u64 %a, [to];
  mov.u32 %i, 5000;
LOOP:
  sub.u32 %i, %i, 1;
  setp.ne.u32 %p, %i, 0;
  @%p bra LOOP;
  ld.global.u32 %v, [%a];
  add.u32 %v, %v, 1;
  st.global.u32 [%a], %v;
  ret;
}

.visible .entry shared(.param .u64 at) {
  .reg .b64 %a;
  .reg .b32 %v;
  .shared .align 16 .b8 data[64];
  ld.param.u64 %a, [at];
  ld.shared.u32 %v, [%a];
  ret;
}

.visible .entry local(.param .u64 at) {
  .reg .b64 %a;
  .local .align 16 .b8 data[64];
  ld.param.u64 %a, [at];
  st.local.v4.b32 [%a], {1, 2, 3, 4};
  ret;
}

.visible .entry parameter(.param .u64 at) {
  .reg .b64 %a, %v;
  ld.param.u64 %a, [at];
  ld.param.u64 %v, [%a];
  ret;
}

// Lanes at both ends of the address space.
.visible .entry ends() {
  .reg .b64 %a, %b;
  .reg .b32 %t;
  .reg .pred %p;
  .shared .align 16 .b8 data[64];
  mov.u32 %t, %tid.x;
  setp.eq.u32 %p, %t, 0;
  mov.u64 %a, -16;
  mov.u64 %b, data;
  selp.b64 %a, %a, %b, %p;
  st.shared.v4.b32 [%a], {1, 2, 3, 4};
  ret;
}

.visible .entry stop() { trap; }

.extern .func __assertfail(.param .b64 message, .param .b64 file,
                           .param .b32 line, .param .b64 function,
                           .param .b64 size);
.const .align 1 .b8 text[6] = {105, 32, 60, 32, 110, 0};

.visible .entry fails() {
  .reg .b64 %a;
  .param .b64 message, file, function, size;
  .param .b32 line;
  mov.u64 %a, text;
  cvta.const.u64 %a, %a;
  st.param.b64 [message], %a;
  st.param.b64 [file], %a;
  st.param.b32 [line], 42;
  st.param.b64 [function], %a;
  st.param.b64 [size], 1;
  call __assertfail, (message, file, line, function, size);
  ret;
}

.func deeper() { call deeper; ret; }
.visible .entry recurse() { call deeper; ret; }

.visible .entry wait_for_flag(.param .u64 flag) {
  .reg .pred %p;
  .reg .b32 %v;
  .reg .b64 %a;
  ld.param.u64 %a, [flag];
LOOP:
  ld.volatile.global.u32 %v, [%a];
  setp.eq.u32 %p, %v, 0;
  @%p bra LOOP;
  ret;
}

// A flag that the compiler read once, as if nobody could change it.
.visible .entry wait_in_register(.param .u64 flag) {
  .reg .pred %p;
  .reg .b32 %v;
  .reg .b64 %a;
  ld.param.u64 %a, [flag];
  ld.global.u32 %v, [%a];
LOOP:
  setp.eq.u32 %p, %v, 0;
  @%p bra LOOP;
  ret;
}

.visible .entry count_for_ever(.param .u64 to) {
  .reg .b32 %i;
  .reg .b64 %a;
  ld.param.u64 %a, [to];
  mov.u32 %i, 0;
LOOP:
  add.u32 %i, %i, 1;
  bra LOOP;
}

// Half of the block does not come.
.visible .entry half_a_barrier() {
  .reg .pred %p;
  .reg .b32 %t;
  mov.u32 %t, %tid.x;
  setp.lt.u32 %p, %t, 32;
  @%p bra ENTER;
  mov.u32 %t, 0;
WAIT:
  bar.sync 1, 128;
ENTER:
  bar.sync 0;
  ret;
}

.visible .entry jump_anywhere(.param .u64 where) {
  .reg .b64 %a;
  ld.param.u64 %a, [where];
  KIND: .callprototype ()_ ();
  call (), %a, (), KIND;
  ret;
}
"""


class Case:
    def __init__(self):
        self.context = make("cuCtxCreate_v2", 0, 0)
        self.module = load(TEXT)

    def __getitem__(self, name):
        return function(self.module, name)

    def run(self, name, arguments=(), **options):
        """Launches, and returns the first error of the launch and a wait."""
        result = launch(self[name], arguments, **options)
        return result if result != "CUDA_SUCCESS" else call("cuCtxSynchronize")

    def end(self):
        return call("cuCtxDestroy_v2", self.context)


def u32(value):
    return ctypes.c_uint32(value)


def u64(value):
    return ctypes.c_uint64(value)


def pointer_null(case):
    yield case.run("store", (u64(0), u32(1)))


def pointer_wild(case):
    yield case.run("store", (u64(2**64 - 4), u32(1)))


def pointer_shared(case):
    yield case.run("shared", (u64(2**64 - 4),))


def pointer_local(case):
    yield case.run("local", (u64(2**64 - 16),))


def pointer_parameter(case):
    yield case.run("parameter", (u64(2**64 - 8),))


def pointer_ends(case):
    yield case.run("ends", block=32)


def pointer_host(case):
    word = u32(0)
    yield case.run("store", (u64(ctypes.addressof(word)), u32(1)))
    yield f"{word.value} in the word of the host"


def pointer_misaligned(case):
    yield case.run("store", (u64(allocate(4).value + 2), u32(1)))


def pointer_freed(case):
    address = allocate(4)
    check("cuMemFree_v2", address)
    yield case.run("store", (address, u32(1)))


def free_in_use(case):
    """cuMemFree waits for what uses the memory."""
    address = allocate(1)
    stream = make("cuStreamCreate", 1)
    yield launch(case["slow"], (address,), stream=stream)
    yield call("cuMemFree_v2", address)
    yield call("cuStreamSynchronize", stream)


def pool(case):
    """Memory of a pool lives in the order of its stream."""
    stream, address = make("cuStreamCreate", 1), u64(0)
    check("cuMemAllocAsync", ctypes.byref(address), ctypes.c_size_t(4), stream)
    check("cuMemsetD32Async", address, 7, ctypes.c_size_t(1), stream)
    yield launch(case["slow"], (address,), stream=stream)
    word = u32(0)
    check("cuMemcpyDtoHAsync_v2", ctypes.byref(word), address,
          ctypes.c_size_t(4), stream)
    check("cuMemFreeAsync", address, stream)
    yield call("cuStreamSynchronize", stream)
    yield str(word.value)
    launch(case["store"], (address, u32(1)), stream=stream)
    yield call("cuStreamSynchronize", stream)


def assertion(case):
    yield case.run("fails")


def unload_in_use(case):
    address = allocate(1)
    yield launch(case["slow"], (address,))
    yield call("cuModuleUnload", case.module)
    yield str(read(address, 1)[0])


def destroy_in_use(case):
    """The work of a context that is destroyed does not matter any more."""
    address = allocate(1)
    stream = make("cuStreamCreate", 1)
    for _ in range(3):
        yield launch(case["slow"], (address,), stream=stream)
    yield call("cuStreamDestroy_v2", stream)
    yield case.end()


def destroy_twice(case):
    yield case.end()
    yield case.end()
    yield call("cuStreamSynchronize", None)


def handles(case):
    """Null, freed and made-up handles."""
    handle = ctypes.c_void_p()
    unknown = ctypes.c_void_p(0x1234)
    stream = make("cuStreamCreate", 0)
    kernel = case["stop"]
    check("cuStreamDestroy_v2", stream)
    check("cuModuleUnload", case.module)
    yield launch(None)
    yield launch(unknown)
    yield launch(kernel)
    yield call("cuStreamSynchronize", stream)
    yield call("cuStreamSynchronize", unknown)
    yield call("cuEventRecord", None, None)
    yield call("cuEventSynchronize", unknown)
    yield call("cuModuleGetFunction", ctypes.byref(handle), case.module, b"stop")
    yield call("cuModuleUnload", unknown)
    yield call("cuGraphLaunch", unknown, None)
    yield call("cuMemFree_v2", u64(0x1234))


def null_results(case):
    """Pointers to results and inputs that are null."""
    yield call("cuStreamCreate", None, 0)
    yield call("cuMemAlloc_v2", None, ctypes.c_size_t(4))
    yield call("cuModuleLoadData", None, None)
    yield call("cuModuleGetFunction", None, case.module, None)
    yield call("cuDeviceGetAttribute", None, 1, 0)
    yield call("cuMemcpyHtoD_v2", allocate(1), None, ctypes.c_size_t(4))
    yield call("cuLaunchKernelEx", None, case["stop"], None, None)
    yield call("cuGetProcAddress_v2", None, None, 12000, u64(0), None)


def sizes(case):
    address = allocate(4)
    words = (ctypes.c_uint32 * 8)()
    big = ctypes.c_size_t(2**64 - 1)
    result = u64(0)
    yield call("cuMemAlloc_v2", ctypes.byref(result), ctypes.c_size_t(0))
    yield call("cuMemAlloc_v2", ctypes.byref(result), big)
    yield call("cuMemcpyHtoD_v2", address, words, ctypes.c_size_t(20))
    yield call("cuMemcpyDtoH_v2", words, address, big)
    # Both of the host, in either order.
    other = (ctypes.c_uint32 * 8)()
    for to, source in ((words, other), (other, words)):
        yield call("cuMemcpy", u64(ctypes.addressof(to)),
                   u64(ctypes.addressof(source)), big)
    yield call("cuMemsetD32_v2", address, 0, big)
    yield call("cuMemsetD32_v2", u64(address.value + 1), 0, ctypes.c_size_t(1))


def parameters(case):
    """Too few parameters, none, and a buffer that is too large."""
    yield launch(case["store"], ())
    size = ctypes.c_size_t(64)
    data = (ctypes.c_uint8 * 64)()
    extra = (ctypes.c_void_p * 5)(1, ctypes.addressof(data), 2,
                                  ctypes.addressof(size), 0)
    yield call("cuLaunchKernel", case["store"], 1, 1, 1, 1, 1, 1, 0, None, None,
               extra)
    yield call("cuLaunchKernel", case["store"], 1, 1, 1, 1, 1, 1, 0, None, None,
               None)


def traps(case):
    yield case.run("stop", block=64)


def recursion(case):
    yield case.run("recurse")


def polls(case):
    yield case.run("wait_for_flag", (allocate(1),))


def register_poll(case):
    yield case.run("wait_in_register", (allocate(1),))


def endless(case):
    yield case.run("count_for_ever", (allocate(1),))


def barrier(case):
    yield case.run("half_a_barrier", block=64)


def jump(case):
    yield case.run("jump_anywhere", (u64(0x1234),))


def bad_texts(case):
    handle = ctypes.c_void_p()
    texts = [b"", b".version 9.0", b"\0\0\0\0", b"\x7fELF", b"\xff" * 64,
             b".version 9.0\n.target sm_90a\n.address_size 64\n.entry k() {"]
    for text in texts:
        yield call("cuModuleLoadData", ctypes.byref(handle), text)


def main(names):
    check("cuInit", 0)
    for name in names:
        case = Case()
        print(f"{name}:", flush=True)
        for answer in globals()[name](case):
            print(f"  {answer}", flush=True)
        call("cuCtxDestroy_v2", case.context)
    print("alive")


main(sys.argv[1:])
