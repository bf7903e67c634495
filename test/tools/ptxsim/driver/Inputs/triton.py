"""The calls that Triton's launcher makes, with a kernel as Triton writes them.

Usage: triton.py [CUBIN]
"""

import ctypes
import sys

from cuda import (LaunchAttribute, LaunchConfig, allocate, call, check, function,
                  make, pointers, read)

# Of cuda.h; 17 and 18 came after CUDA 13.0.
NUM_REGS, LOCAL_BYTES, MAX_THREADS, SHARED_BYTES, MAX_DYNAMIC = 4, 3, 0, 1, 8
SHARED_MEMORY_MODE, NON_PORTABLE = 17, 14
CLUSTER, SCHEDULING, PROGRAMMATIC, COOPERATIVE = 4, 5, 6, 2
OPT_IN, PER_MULTIPROCESSOR = 97, 81
DEVICE_POINTER, PRINTF_FIFO = 3, 1

# Reverses 128 words of each block by way of dynamic shared memory.
TEXT = b"""
.version 8.7
.target sm_90a
.address_size 64

.extern .shared .align 16 .b8 global_smem[];

.visible .entry reverse_kernel(
  .param .u64 .ptr .global .align 16 reverse_kernel_param_0,
  .param .u64 .ptr .global .align 16 reverse_kernel_param_1,
  .param .u32 reverse_kernel_param_2,
  .param .u64 .ptr .global .align 1 reverse_kernel_param_3,
  .param .u64 .ptr .global .align 1 reverse_kernel_param_4
)
.reqntid 128
{
  .reg .pred %p<2>;
  .reg .b32 %r<9>;
  .reg .b64 %rd<5>;
  ld.param.b64 %rd1, [reverse_kernel_param_0];
  ld.param.b64 %rd2, [reverse_kernel_param_1];
  ld.param.b32 %r1, [reverse_kernel_param_2];
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %tid.x;
  shl.b32 %r4, %r2, 7;
  add.s32 %r5, %r4, %r3;
  setp.lt.s32 %p1, %r5, %r1;
  mad.wide.s32 %rd3, %r5, 4, %rd1;
  mov.u32 %r6, 0x0;
  @%p1 ld.global.b32 { %r6 }, [ %rd3 + 0 ];
  shl.b32 %r7, %r3, 2;
  mov.b32 %r8, global_smem;
  add.s32 %r7, %r8, %r7;
  st.shared.b32 [%r7], %r6;
  bar.sync 0;
  xor.b32 %r3, %r3, 127;
  shl.b32 %r7, %r3, 2;
  add.s32 %r7, %r8, %r7;
  ld.shared.b32 %r6, [%r7];
  mad.wide.s32 %rd4, %r5, 4, %rd2;
  @%p1 st.global.b32 [ %rd4 + 0 ], { %r6 };
  ret;
}
"""


def number(name, *arguments):
    """Calls a function that returns an integer through its first parameter."""
    result = ctypes.c_int()
    check(name, ctypes.byref(result), *arguments)
    return result.value


def load_binary(name, data, shared):
    handle = ctypes.c_void_p()
    result = call("cuModuleLoadData", ctypes.byref(handle), data)
    if result != "CUDA_SUCCESS":
        return result, None
    kernel = function(handle, name)
    print("registers", number("cuFuncGetAttribute", NUM_REGS, kernel) > 0,
          "local", number("cuFuncGetAttribute", LOCAL_BYTES, kernel),
          "threads", number("cuFuncGetAttribute", MAX_THREADS, kernel))
    opt_in = number("cuDeviceGetAttribute", OPT_IN, 0)
    if shared > 49152:
        print("oversized", call("cuFuncSetAttribute", kernel, SHARED_MEMORY_MODE, 3))
        check("cuFuncSetCacheConfig", kernel, 1)
        number("cuDeviceGetAttribute", PER_MULTIPROCESSOR, 0)
        fixed = number("cuFuncGetAttribute", SHARED_BYTES, kernel)
        check("cuFuncSetAttribute", kernel, MAX_DYNAMIC, opt_in - fixed)
    return handle, kernel


def launch(kernel, grid, shared, arguments, ctas=1, **attributes):
    values = [LaunchAttribute(attributes[name], 0, (ctypes.c_uint32 * 16)(1))
              for name in attributes]
    if ctas != 1:
        values.append(LaunchAttribute(CLUSTER, 0,
                                      (ctypes.c_uint32 * 16)(ctas, 1, 1)))
        values.append(LaunchAttribute(SCHEDULING, 0, (ctypes.c_uint32 * 16)(1)))
    array = (LaunchAttribute * max(len(values), 1))(*values)
    config = LaunchConfig((grid * ctas, 1, 1), (128, 1, 1), shared, None, array,
                          len(values))
    if ctas == 16:
        check("cuFuncSetAttribute", kernel, NON_PORTABLE, 1)
    check("cuLaunchKernelEx", ctypes.byref(config), kernel, pointers(arguments),
          None)


def extract(pointer):
    """Checks a pointer as the launcher does."""
    result = ctypes.c_uint64()
    answer = call("cuPointerGetAttribute", ctypes.byref(result), DEVICE_POINTER,
                  ctypes.c_uint64(pointer))
    return answer if answer != "CUDA_SUCCESS" else result.value == pointer


def main(cubins):
    check("cuInit", 0)
    context = ctypes.c_void_p()
    check("cuCtxGetCurrent", ctypes.byref(context))
    assert not context
    context = make("cuDevicePrimaryCtxRetain", 0)
    check("cuCtxSetCurrent", context)
    module, kernel = load_binary("reverse_kernel", TEXT, 65536)
    source, target = allocate(2048), allocate(2048)
    words = (ctypes.c_uint32 * 2048)(*range(2048))
    check("cuMemcpyHtoD_v2", source, words, ctypes.c_size_t(8192))
    print("pointers", extract(source.value), extract(ctypes.addressof(words)))
    status = ctypes.c_int(-1)
    check("cuStreamIsCapturing", None, ctypes.byref(status))
    print("capturing", status.value)
    null = ctypes.c_uint64(0)
    arguments = (source, target, ctypes.c_uint32(2000), null, null)
    launch(kernel, 16, 65536, arguments)
    launch(kernel, 16, 65536, arguments, programmatic=PROGRAMMATIC)
    launch(kernel, 16, 65536, arguments, cooperative=COOPERATIVE)
    launch(kernel, 1, 65536, arguments, ctas=16)
    check("cuCtxSynchronize")
    values = read(target, 2048)
    print("values", values[0], values[127], values[128], values[2000])
    launch_clusters(kernel)
    size = ctypes.c_size_t()
    check("cuCtxGetLimit", ctypes.byref(size), PRINTF_FIFO)
    check("cuCtxSetLimit", PRINTF_FIFO, ctypes.c_size_t(size.value * 2))
    tensor_map(source)
    check("cuModuleUnload", module)
    for path in cubins:
        result, _ = load_binary("", open(path, "rb").read(), 0)
        print("cubin", result)
    check("cuMemFree_v2", source)
    check("cuMemFree_v2", target)


def launch_clusters(kernel):
    attribute = LaunchAttribute(CLUSTER, 0, (ctypes.c_uint32 * 16)(2, 1, 1))
    config = LaunchConfig((2, 1, 1), (128, 1, 1), 65536, None,
                          ctypes.pointer(attribute), 1)
    print("clusters", number("cuOccupancyMaxActiveClusters", kernel,
                             ctypes.byref(config)))


def tensor_map(address):
    """Encodes a map of a small tensor and clears the bit that the launcher
    clears for it, which must mean nothing here."""
    storage = (ctypes.c_uint8 * 256)()
    at = (ctypes.addressof(storage) + 127) // 128 * 128
    words = (ctypes.c_uint64 * 16).from_address(at)
    check("cuTensorMapEncodeTiled", ctypes.c_void_p(at), 6, 2, address,
          (ctypes.c_uint64 * 2)(64, 32), (ctypes.c_uint64 * 1)(128),
          (ctypes.c_uint32 * 2)(64, 16), (ctypes.c_uint32 * 2)(1, 1), 0, 3, 2, 0)
    before = list(words)
    words[1] &= ~(1 << 21) & (2**64 - 1)
    print("tensor map", list(words) == before)


main(sys.argv[1:])
