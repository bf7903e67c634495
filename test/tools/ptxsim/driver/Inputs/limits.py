"""Launches and modules beyond what an H100 can do.

Prints what each of them is answered.
"""

import ctypes

from cuda import call, function, launch, launch_ex, load, make, start

TEXT = """
.extern .shared .align 16 .b8 dynamic[];

.visible .entry plain() { ret; }

.visible .entry bounded() .maxntid 128 { ret; }

.visible .entry exact() .reqntid 64 { ret; }

.visible .entry pairs() .reqnctapercluster 2 { ret; }

.visible .entry few() .maxclusterrank 4 { ret; }

.visible .entry huge() {
  .reg .b32 %r;
  .shared .align 16 .b8 data[232449];
  mov.u32 %r, data;
  ret;
}

.visible .entry huger() {
  .reg .b32 %r;
  .shared .align 16 .b8 a[300000], b[5000000000];
  mov.u32 %r, a;
  mov.u32 %r, b;
  ret;
}

.visible .entry deep() {
  .reg .b64 %a;
  .local .align 16 .b8 data[1099511627776];
  mov.u64 %a, data;
  ret;
}

.visible .entry big() {
  .reg .b32 %r;
  .shared .align 16 .b8 data[40000];
  mov.u32 %r, dynamic;
  mov.u32 %r, data;
  ret;
}
"""

# Many values that live at once.
REGISTERS = """
.visible .entry many(.param .u64 out) {
  .reg .b64 %%a;
  .reg .b32 %%r<%d>;
  ld.param.u64 %%a, [out];
%s
%s
  ret;
}
"""


def kernel_of_registers(count):
    loads = "\n".join(f"  ld.volatile.global.u32 %r{i}, [%a+{4 * i}];"
                      for i in range(count))
    stores = "\n".join(f"  st.volatile.global.u32 [%a+{4 * i}], %r{i};"
                       for i in range(count))
    return REGISTERS % (count, loads, stores)


def set_attribute(kernel, attribute, value):
    return call("cuFuncSetAttribute", kernel, attribute, value)


SHARED, NON_PORTABLE = 8, 14  # CU_FUNC_ATTRIBUTE_…


def launches(kernels):
    plain, big = kernels["plain"], kernels["big"]
    yield "threads", launch(plain, block=1025)
    yield "maxntid", launch(kernels["bounded"], block=129)
    yield "reqntid", launch(kernels["exact"], block=32)
    yield "no blocks", launch(plain, grid=0)
    yield "z", call("cuLaunchKernel", plain, 1, 1, 65536, 1, 1, 1, 0, None, None,
                    None)
    yield "shared", launch(plain, shared=49153)
    yield "opt in", set_attribute(plain, SHARED, 232449)
    yield "static and opt in", set_attribute(big, SHARED, 232448 - 40000 + 1)
    yield "all of it", set_attribute(big, SHARED, 232448 - 40000)
    yield "all of it", launch(big, shared=232448 - 40000)
    yield "static", launch(kernels["huge"])
    yield "static", launch(kernels["huger"])
    yield "cluster", launch_ex(plain, grid=16, cluster=(16, 1, 1))
    yield "non-portable", set_attribute(plain, NON_PORTABLE, 1)
    yield "non-portable", launch_ex(plain, grid=16, cluster=(16, 1, 1))
    yield "cluster of 32", launch_ex(plain, grid=32, cluster=(32, 1, 1))
    yield "no multiple", launch_ex(plain, grid=3, cluster=(2, 1, 1))
    yield "not as required", launch_ex(kernels["pairs"], grid=4, cluster=(4, 1, 1))
    yield "maxclusterrank", launch_ex(kernels["few"], grid=8, cluster=(8, 1, 1))
    yield "cooperative", launch_ex(plain, grid=32 * 132, cooperative=(1,))
    yield "too large", launch_ex(plain, grid=32 * 132 + 1, cooperative=(1,))
    yield "unknown attribute", launch_ex(plain, unknown=(1,))
    yield "updatable node", launch_ex(plain, updatable=(1,))


def modules():
    for size in [32764, 32765]:
        yield (f"{size} bytes of parameters",
               f".visible .entry k(.param .align 4 .b8 p[{size}]) {{ ret; }}")
    for size in [32768, 32769]:
        yield (f"{size + 32768} bytes of constants",
               f".const .b8 a[32768]; .const .b8 b[{size}];")


start()
names = ["plain", "bounded", "exact", "pairs", "few", "big", "huge", "huger"]
module = load(TEXT)
kernels = {name: function(module, name) for name in names}
for name, result in launches(kernels):
    print(f"{name}: {result}")
many = function(load(kernel_of_registers(100)), "many")
count = ctypes.c_int()
call("cuFuncGetAttribute", ctypes.byref(count), 4, many)
print("more than 100 registers:", count.value > 100)
print("registers:", launch(many, (ctypes.c_uint64(0),), block=1024))
for name, text in modules():
    handle = ctypes.c_void_p()
    head = ".version 9.0\n.target sm_90a\n.address_size 64\n"
    print(f"{name}:", call("cuModuleLoadData", ctypes.byref(handle),
                           (head + text).encode()))
# The last one, since it ends the context.
print("local:", launch(function(module, "deep")), call("cuCtxSynchronize"))
