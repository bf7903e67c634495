"""Arguments that no call may believe: versions, functions, counts, extents."""

import ctypes
import sys

from cuda import call, check, make, start

SIZE, POINTER = ctypes.c_size_t, ctypes.c_void_p
_runtime = ctypes.CDLL("libcudart.so.13")


def runtime(name, *arguments):
    _runtime.cudaGetErrorName.restype = ctypes.c_char_p
    return _runtime.cudaGetErrorName(getattr(_runtime, name)(*arguments)).decode()


def versions():
    for version in ("7.8", "8.0", "9.0", "9.1", "10.0", "99.9", "9"):
        text = f".version {version}\n.target sm_90a\n.address_size 64\n.visible .entry k() {{ ret; }}"
        print(version, call("cuModuleLoadData", ctypes.byref(POINTER()), text.encode()),
              call("cuLibraryLoadData", ctypes.byref(POINTER()), text.encode(),
                   None, None, 0, None, None, 0), flush=True)


def functions():
    """Functions of the host that are none: nothing, a number, data, another part of
    the address space; and one that is made at run time."""
    called = []
    good = ctypes.CFUNCTYPE(None, POINTER)(lambda _: called.append(1))
    data = ctypes.create_string_buffer(64)
    graph = make("cuGraphCreate", 0)
    names = {"number": 16, "data": ctypes.addressof(data), "end": 2**64 - 1,
             "good": ctypes.cast(good, POINTER).value}
    for name, value in names.items():
        function = POINTER(value)
        host = (POINTER * 2)(value, None)
        object = POINTER()
        print(name,
              call("cuLaunchHostFunc", None, function, None),
              runtime("cudaLaunchHostFunc", None, function, None),
              call("cuUserObjectCreate", ctypes.byref(object), None, function, 1, 1),
              call("cuGraphAddHostNode", ctypes.byref(POINTER()), graph, None, SIZE(0),
                   host), flush=True)
        if name != "good":
            print(name, call("cuStreamAddCallback", None, function, None, 0),
                  runtime("cudaStreamAddCallback", None, function, None, 0))
    check("cuCtxSynchronize")
    print("called", len(called))


def counts():
    """More nodes than there are, in an array that has no room for as many."""
    graph = make("cuGraphCreate", 0)
    first = make("cuGraphAddEmptyNode", graph, None, SIZE(0))
    second = make("cuGraphAddEmptyNode", graph, ctypes.byref(first), SIZE(1))
    room = 8
    for wanted in (room, 2**20, 2**40, 2**61, 2**64 - 1):
        for name, of, arrays in (("cuGraphGetNodes", graph, 1),
                                 ("cuGraphGetRootNodes", graph, 1),
                                 ("cuGraphGetEdges_v2", graph, 3),
                                 ("cuGraphNodeGetDependencies_v2", second, 2),
                                 ("cuGraphNodeGetDependentNodes_v2", first, 2)):
            # At the end of what is mapped, so that nothing lies behind it.
            lists = [PAGE + PAGE_BYTES - 8 * room] * arrays
            ctypes.memset(lists[0], 0xff, 8 * room)
            count = SIZE(wanted)
            result = call(name, of, *[POINTER(at) for at in lists], ctypes.byref(count))
            used = (ctypes.c_uint64 * room).from_address(lists[0])
            print(name, hex(wanted), result, count.value if wanted == room else "",
                  all(used[i] == 2**64 - 1 for i in range(2, room)), flush=True)
    print(call("cuGraphDestroy", graph))


class Box(ctypes.Structure):
    _fields_ = [("pointer", POINTER), ("pitch", SIZE), ("width", SIZE), ("height", SIZE)]


class Extent(ctypes.Structure):
    _fields_ = [("width", SIZE), ("height", SIZE), ("depth", SIZE)]


def extents():
    memory = POINTER()
    runtime("cudaMalloc", ctypes.byref(memory), SIZE(4096))
    for pitch, height, extent in ((64, 8, (0, 8, 2**62)), (64, 8, (64, 0, 2**62)),
                                  (64, 8, (64, 8, 0)), (64, 8, (64, 8, 8)),
                                  (64, 8, (64, 8, 2**62)), (0, 8, (64, 1, 2**62)),
                                  (64, 0, (64, 1, 2**62))):
        box = Box(memory, pitch, 64, height)
        print(pitch, height, extent, runtime("cudaMemset3D", box, 1, Extent(*extent)),
              runtime("cudaMemset3DAsync", box, 1, Extent(*extent), None), flush=True)
    for width, height in ((0, 2**60), (2**60, 0)):
        print(width != 0, call("cuMemsetD2D8_v2", memory, SIZE(64), 1, SIZE(width),
                               SIZE(height)), flush=True)


PAGE_BYTES = 4096
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_uint64
# One page to write to, and one behind it that nobody may touch.
PAGE = libc.mmap(None, SIZE(2 * PAGE_BYTES), 3, 0x22, -1, SIZE(0))
libc.mprotect(POINTER(PAGE + PAGE_BYTES), SIZE(PAGE_BYTES), 0)
start()
for name in sys.argv[1:]:
    print(f"{name}:", flush=True)
    globals()[name]()
print("alive")
