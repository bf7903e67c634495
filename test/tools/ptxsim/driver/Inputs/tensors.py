"""Copies of tensors whose maps only the driver can make: im2col, interleaved.

Each result is compared with the definition of the layout, written as loops.
Prints a line for each case.
"""

import ctypes
import itertools
import random

from cuda import call, check, function, launch, load, make, start

LOAD = """
.visible .entry %(name)s(.param .align 64 .b8 map[128], .param .u64 out,
    .param .s32 c0, .param .s32 c1, .param .s32 c2, .param .s32 c3,
    .param .u16 o0, .param .u16 o1) {
  .reg .b32 %%i, %%s, %%v, %%x<4>;
  .reg .b16 %%o<2>;
  .reg .b64 %%m, %%a, %%d;
  .reg .pred %%p;
  .shared .align 1024 .b8 data[%(bytes)d];
  .shared .align 8 .b64 bar;
  mov.b64 %%m, map;
  cvta.param.u64 %%m, %%m;
  ld.param.u64 %%a, [out];
  ld.param.s32 %%x0, [c0];
  ld.param.s32 %%x1, [c1];
  ld.param.s32 %%x2, [c2];
  ld.param.s32 %%x3, [c3];
  ld.param.u16 %%o0, [o0];
  ld.param.u16 %%o1, [o1];
  mov.u32 %%i, %%tid.x;
  setp.ne.u32 %%p, %%i, 0;
  @%%p bra READY;
  mbarrier.init.shared::cta.b64 [bar], 1;
  fence.mbarrier_init.release.cluster;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], %(bytes)d;
  cp.async.bulk.tensor.4d.shared::cluster.global.%(mode)s.mbarrier::complete_tx::bytes
      [data], [%%m, {%%x0, %%x1, %%x2, %%x3}], [bar]%(offsets)s;
READY:
  bar.sync 0;
WAIT:
  mbarrier.try_wait.parity.shared::cta.b64 %%p, [bar], 0;
  @!%%p bra WAIT;
  mov.u32 %%s, data;
  mad.lo.u32 %%s, %%i, 4, %%s;
  mad.wide.u32 %%a, %%i, 4, %%a;
COPY:
  ld.shared.b32 %%v, [%%s];
  st.global.b32 [%%a], %%v;
  add.u32 %%s, %%s, 128;
  add.u64 %%a, %%a, 128;
  add.u32 %%i, %%i, 32;
  setp.lt.u32 %%p, %%i, %(bytes)d / 4;
  @%%p bra COPY;
  ret;
}
"""

STORE = """
.visible .entry %(name)s(.param .align 64 .b8 map[128], .param .u64 in,
    .param .s32 c0, .param .s32 c1, .param .s32 c2, .param .s32 c3) {
  .reg .b32 %%i, %%s, %%v, %%x<4>;
  .reg .b64 %%m, %%a;
  .reg .pred %%p;
  .shared .align 1024 .b8 data[%(bytes)d];
  mov.b64 %%m, map;
  cvta.param.u64 %%m, %%m;
  ld.param.u64 %%a, [in];
  ld.param.s32 %%x0, [c0];
  ld.param.s32 %%x1, [c1];
  ld.param.s32 %%x2, [c2];
  ld.param.s32 %%x3, [c3];
  mov.u32 %%i, %%tid.x;
  mov.u32 %%s, data;
  mad.lo.u32 %%s, %%i, 4, %%s;
  mad.wide.u32 %%a, %%i, 4, %%a;
COPY:
  ld.global.b32 %%v, [%%a];
  st.shared.b32 [%%s], %%v;
  add.u32 %%s, %%s, 128;
  add.u64 %%a, %%a, 128;
  add.u32 %%i, %%i, 32;
  setp.lt.u32 %%p, %%i, %(bytes)d / 4;
  @%%p bra COPY;
  fence.proxy.async;
  bar.sync 0;
  mov.u32 %%i, %%tid.x;
  setp.ne.u32 %%p, %%i, 0;
  @%%p ret;
  cp.async.bulk.tensor.4d.global.shared::cta.%(mode)s.bulk_group
      [%%m, {%%x0, %%x1, %%x2, %%x3}], [data];
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
  ret;
}
"""

U16, F32 = 1, 7  # CU_TENSOR_MAP_DATA_TYPE_…


def ints(kind, values):
    return (kind * len(values))(*values)


def aligned():
    """128 bytes at a multiple of 64."""
    memory = (ctypes.c_uint8 * 192)()
    offset = -ctypes.addressof(memory) % 64
    result = (ctypes.c_uint8 * 128).from_buffer(memory, offset)
    return result


def tiled(kind, address, dims, strides, box, interleave, swizzle):
    result = aligned()
    check("cuTensorMapEncodeTiled", ctypes.byref(result), kind, len(dims), address,
          ints(ctypes.c_uint64, dims), ints(ctypes.c_uint64, strides),
          ints(ctypes.c_uint32, box), ints(ctypes.c_uint32, [1] * len(dims)),
          interleave, swizzle, 0, 0)
    return result


def im2col(kind, address, dims, strides, lower, upper, channels, pixels, steps):
    result = aligned()
    check("cuTensorMapEncodeIm2col", ctypes.byref(result), kind, len(dims), address,
          ints(ctypes.c_uint64, dims), ints(ctypes.c_uint64, strides),
          ints(ctypes.c_int32, lower), ints(ctypes.c_int32, upper), channels,
          pixels, ints(ctypes.c_uint32, steps), 0, 0, 0, 0)
    return result


def upload(values):
    address = ctypes.c_uint64()
    size = ctypes.c_size_t(ctypes.sizeof(values))
    check("cuMemAlloc_v2", ctypes.byref(address), size)
    check("cuMemcpyHtoD_v2", address, values, size)
    return address


def download(kind, count, address):
    values = (kind * count)()
    check("cuMemcpyDtoH_v2", values, address,
          ctypes.c_size_t(ctypes.sizeof(values)))
    return values


def run(template, mode, count, tensor, buffer, coordinates, offsets=None):
    """Copies `count` bytes between shared memory and `tensor`."""
    listed = ", {%o0, %o1}" if offsets else ""
    text = template % {"name": "k", "bytes": count, "mode": mode, "offsets": listed}
    module = load(text)
    arguments = [tensor, buffer] + [ctypes.c_int32(c) for c in coordinates]
    if template is LOAD:
        arguments += [ctypes.c_uint16(o) for o in offsets or (0, 0)]
    result = launch(function(module, "k"), arguments, block=32)
    if result == "CUDA_SUCCESS":
        result = call("cuCtxSynchronize")
    assert result == "CUDA_SUCCESS", result
    check("cuModuleUnload", module)


def interleaved(slice_bytes):
    """NC/8HWC8 of 16 bytes, NC/16HWC16 of 32 bytes: a copy takes one group of
    channels of a box of pixels, which may lie outside."""
    per = slice_bytes // 2
    N, G, H, W = 2, 3, 5, 7
    n0, g0, h0, w0 = 0, 1, 3, -2
    bn, bh, bw = 2, 4, 8

    def at(n, g, h, w, c):
        return (((n * G + g) * H + h) * W + w) * per + c

    size = N * G * H * W * per
    values = [1 + i * 7 % 65521 for i in range(size)]
    tensor = upload(ints(ctypes.c_uint16, values))
    # Rows of 128 bytes or less: of 32 bytes, bit 4 changes with bit 7.
    swizzle = 1 if slice_bytes == 32 else 0

    def shared(n, h, w, c):
        byte = ((n * bh + h) * bw + w) * slice_bytes + 2 * c
        return (byte ^ (byte >> 7 & swizzle) << 4) // 2

    strides = [W * slice_bytes, H * W * slice_bytes, G * H * W * slice_bytes]
    box = (bw, bh, 1, bn)
    map_ = tiled(U16, tensor, (W, H, G, N), strides, box, slice_bytes // 16, swizzle)
    count = bn * bh * bw * slice_bytes
    out = upload((ctypes.c_uint8 * count)())
    run(LOAD, "tile", count, map_, out, (w0, h0, g0, n0))
    got = download(ctypes.c_uint16, count // 2, out)
    inside = 0
    for n, h, w, c in itertools.product(range(bn), range(bh), range(bw), range(per)):
        isInside = 0 <= h0 + h < H and 0 <= w0 + w < W
        inside += isInside
        expected = values[at(n0 + n, g0, h0 + h, w0 + w, c)] if isInside else 0
        assert got[shared(n, h, w, c)] == expected, (n, h, w, c)
    print(f"load of slices of {slice_bytes} bytes: {inside} of {count // 2} inside")

    # The same box of other numbers to where it is inside, and nothing else changes.
    h0, w0 = 2, 1
    news = [40000 + i for i in range(count // 2)]
    run(STORE, "tile", count, map_, upload(ints(ctypes.c_uint16, news)),
        (w0, h0, g0, n0))
    got = download(ctypes.c_uint16, size, tensor)
    expected, stored = list(values), 0
    for n, h, w, c in itertools.product(range(bn), range(bh), range(bw), range(per)):
        if h0 + h < H and w0 + w < W:
            expected[at(n0 + n, g0, h0 + h, w0 + w, c)] = news[shared(n, h, w, c)]
            stored += 1
    assert list(got) == expected
    print(f"store of slices of {slice_bytes} bytes: {stored} of {size} changed")


def convolution():
    """The pixels of each filter position of a 3x3 convolution with padding 1 and
    stride 2, of which the bounding box tells which there are."""
    N, H, W, C, R, S, pad, step = 2, 7, 9, 8, 3, 3, 1, 2
    P, Q = (H + 2 * pad - R) // step + 1, (W + 2 * pad - S) // step + 1
    generator = random.Random(3)
    image = [float(generator.randrange(1, 100)) for _ in range(N * H * W * C)]
    weights = [float(generator.randrange(1, 9)) for _ in range(R * S * C)]
    tensor = upload(ints(ctypes.c_float, image))
    map_ = im2col(F32, tensor, (C, W, H, N), (C * 4, W * C * 4, H * W * C * 4),
                  (-pad, -pad), (pad - (S - 1), pad - (R - 1)), C, N * P * Q,
                  (1, step, step, 1))
    count = N * P * Q * C * 4
    out = upload((ctypes.c_uint8 * count)())
    sums = [0.0] * (N * P * Q)
    for r, s in itertools.product(range(R), range(S)):
        run(LOAD, "im2col", count, map_, out, (0, -pad, -pad, 0), (s, r))
        column = download(ctypes.c_float, count // 4, out)
        for m, c in itertools.product(range(N * P * Q), range(C)):
            sums[m] += column[m * C + c] * weights[(r * S + s) * C + c]
    for n, p, q in itertools.product(range(N), range(P), range(Q)):
        expected = 0.0
        for r, s, c in itertools.product(range(R), range(S), range(C)):
            h, w = p * step - pad + r, q * step - pad + s
            if 0 <= h < H and 0 <= w < W:
                expected += image[((n * H + h) * W + w) * C + c] * weights[(r * S + s) * C + c]
        assert sums[(n * P + p) * Q + q] == expected, (n, p, q)
    print(f"im2col load: {N * P * Q} sums of {R * S} filter positions")


def pixels():
    """A store of pixels one after the other, from row to row and image to image."""
    N, H, W, C, count = 2, 4, 5, 4, 24
    tensor = upload((ctypes.c_float * (N * H * W * C))())
    map_ = im2col(F32, tensor, (C, W, H, N), (C * 4, W * C * 4, H * W * C * 4),
                  (0, 0), (0, 0), C, count, (1, 1, 1, 1))
    news = [float(i + 1) for i in range(count * C)]
    run(STORE, "im2col_no_offs", count * C * 4, map_,
        upload(ints(ctypes.c_float, news)), (0, 3, 1, 0))
    first = (1 * W + 3) * C
    expected = [0.0] * (N * H * W * C)
    expected[first : first + count * C] = news
    assert list(download(ctypes.c_float, N * H * W * C, tensor)) == expected
    print(f"im2col store: {count} pixels behind {first // C}")


start()
interleaved(16)
interleaved(32)
convolution()
pixels()
