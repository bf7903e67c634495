"""Addresses of the host that nothing is at; none of them ends the process.

Prints what each call answered. `hole` is a page without memory behind one that
is there, `locked` one that may not be touched, `wild` no address at all.
"""

import ctypes
import mmap
import os
import signal
import sys

from cuda import (allocate, call, check, function, load, make, pointers, read,
                  start)

PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p

TEXT = """
.visible .entry store(.param .u64 to, .param .u32 value) {
  .reg .b64 %a;
  .reg .b32 %v;
  ld.param.u64 %a, [to];
  ld.param.u32 %v, [value];
  st.global.u32 [%a], %v;
  ret;
}
"""


def mapping(pages):
    """The address of fresh pages."""
    return libc.mmap(None, ctypes.c_size_t(pages * PAGE), 3, 0x22, -1,
                     ctypes.c_long(0))


def show(name, result):
    sys.stderr.flush()
    print(f"{name}: {result}", flush=True)


class Rows(ctypes.Structure):
    """CUDA_MEMCPY2D"""
    _fields_ = [(side + name, kind) for side in ("src", "dst") for name, kind in (
        ("X", ctypes.c_size_t), ("Y", ctypes.c_size_t),
        ("Type", ctypes.c_uint32), ("Host", ctypes.c_void_p),
        ("Device", ctypes.c_uint64), ("Array", ctypes.c_void_p),
        ("Pitch", ctypes.c_size_t))] + [("width", ctypes.c_size_t),
                                        ("height", ctypes.c_size_t)]


def main():
    start()
    kernel = function(load(TEXT), "store")
    first = mapping(3)
    hole, locked = first + PAGE, first + 2 * PAGE
    libc.munmap(ctypes.c_void_p(hole), ctypes.c_size_t(PAGE))
    libc.mprotect(ctypes.c_void_p(locked), ctypes.c_size_t(PAGE), 0)
    print(f"hole={hole:#x} locked={locked:#x}", flush=True)
    wild = 0xdead_beef_dead_beef  # Not an address of x86-64 at all.
    device = allocate(4096)

    def pointer(address):
        return ctypes.c_void_p(address)

    size = ctypes.c_size_t
    for name, address in [("hole", hole), ("end", hole - 64), ("locked", locked),
                          ("wild", wild)]:
        show(f"HtoD {name}", call("cuMemcpyHtoD_v2", device, pointer(address), size(256)))
        show(f"HtoDAsync {name}",
             call("cuMemcpyHtoDAsync_v2", device, pointer(address), size(256), None))
        show(f"DtoH {name}", call("cuMemcpyDtoH_v2", pointer(address), device, size(256)))
        show(f"DtoHAsync {name}",
             call("cuMemcpyDtoHAsync_v2", pointer(address), device, size(256), None))
    # A pitch that is too large for the host's rows.
    rows = Rows(srcType=1, srcHost=first, srcPitch=1024, dstType=2,
                dstDevice=device.value, dstPitch=64, width=64, height=8)
    show("2D", call("cuMemcpy2D_v2", ctypes.byref(rows)))
    show("2D parameters", call("cuMemcpy2D_v2", pointer(hole)))
    show("3D parameters", call("cuMemcpy3D_v2", pointer(hole - 8)))

    show("parameters", call("cuLaunchKernel", kernel, 1, 1, 1, 1, 1, 1, 0, None,
                            pointer(hole), None))
    show("a parameter", call("cuLaunchKernel", kernel, 1, 1, 1, 1, 1, 1, 0, None,
                             (ctypes.c_void_p * 2)(ctypes.addressof(device), hole),
                             None))
    show("extra", call("cuLaunchKernel", kernel, 1, 1, 1, 1, 1, 1, 0, None, None,
                       pointer(hole)))
    show("config", call("cuLaunchKernelEx", pointer(hole), kernel, None, None))
    out = ctypes.c_void_p()
    for name, address in [("hole", hole), ("wild", wild)]:
        show(f"image {name}",
             call("cuModuleLoadData", ctypes.byref(out), pointer(address)))
    text = b".version 9.0"  # It has no end.
    ctypes.memmove(hole - len(text), text, len(text))
    show("image end", call("cuModuleLoadData", ctypes.byref(out),
                           pointer(hole - len(text))))
    module = load(TEXT)
    show("name", call("cuModuleGetFunction", ctypes.byref(out), module, pointer(hole)))
    show("out", call("cuMemAlloc_v2", pointer(hole), size(64)))
    show("out of no context", call("cuDeviceGetAttribute", pointer(hole), 1, 0))
    show("out of a stream", call("cuStreamCreate", pointer(locked), 0))
    show("out of occupancy", call("cuOccupancyMaxActiveBlocksPerMultiprocessor",
                                  pointer(hole), kernel, 32, size(0)))
    show("tensor map", call("cuTensorMapReplaceAddress", pointer(hole), device))
    show("node", call("cuGraphAddKernelNode_v2", ctypes.byref(out),
                      make("cuGraphCreate", 0), None, size(0), pointer(hole)))
    show("register", call("cuMemHostRegister_v2", pointer(first), size(2 * PAGE), 0))

    # In a graph nobody waits for the copy: the context has the error.
    stream = make("cuStreamCreate", 1)
    check("cuStreamBeginCapture_v2", stream, 0)
    check("cuMemcpyHtoDAsync_v2", device, pointer(hole), size(256), stream)
    graph = ctypes.c_void_p()
    check("cuStreamEndCapture", stream, ctypes.byref(graph))
    executable = make("cuGraphInstantiateWithFlags", graph, ctypes.c_ulonglong(0))

    # All of it left no lock behind, and the context is good.
    check("cuLaunchKernel", kernel, 1, 1, 1, 1, 1, 1, 0, None,
          pointers((device, ctypes.c_uint32(7))), None)
    show("then", read(device, 1)[0])
    check("cuGraphLaunch", executable, stream)
    show("graph", call("cuStreamSynchronize", stream))

    # A fault of the program's own, outside of calls, is no business of the driver.
    child = os.fork()
    if child == 0:
        ctypes.string_at(hole)
        os._exit(0)
    show("own fault", signal.Signals(os.WTERMSIG(os.waitpid(child, 0)[1])).name)


main()
