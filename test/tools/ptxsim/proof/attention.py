#!/usr/bin/env python3
"""Prints an attention kernel in the manner of FlashAttention-3 as PTX.

For each head, O = softmax(scale * Q * K^T) * V in bf16, and the logarithm of the
sum of each row in f32. A block has 128 queries of one head:

* One thread copies: Q once, then blocks of K and V in turn into a ring of
  stages, each with its "full" and "empty" barriers.
* Two warpgroups have 64 queries each. They take turns at starting their
  products (named barriers 1 and 2), so that one does its softmax while the other
  multiplies.
* Within a warpgroup S(n) = Q * K(n)^T is started together with
  O += P(n-1) * V(n-1), and the softmax of S(n) runs under the latter. P is
  rounded to bf16 and stays in registers as operand A.
* The softmax is "online": a row keeps its maximum and its sum, and O is scaled
  down whenever the maximum grows.
* O goes out through the memory that Q was in.

S is kept as wgmma leaves it: of a row of 8 columns a thread has two; element i of
a thread is in row 8 * (i / 2 % 2) and column 8 * (i / 4) + i % 2 beside its own.
"""

import argparse

QUERIES = 128  # of a block
CONSUMERS = 2
PANEL = 64  # elements, 128 bytes: what a swizzled row has
ROW_BYTES = 128

# Of a wgmma descriptor: 128-byte swizzle, 1024 bytes from 8 rows to the next 8.
DESCRIPTOR = 1 << 62 | 1024 >> 4 << 32


class Layout:
    """Sizes, and where things are in shared memory, in bytes."""

    def __init__(self, head, keys, stages):
        self.head = head  # elements of a head
        self.keys = keys  # of a block of K and V
        self.stages = stages
        self.panels = head // PANEL
        self.q_panel = QUERIES * ROW_BYTES
        self.k_panel = keys * ROW_BYTES
        self.q_bytes = self.panels * self.q_panel
        self.k_bytes = self.panels * self.k_panel
        self.k = self.q_bytes
        self.v = self.k + stages * self.k_bytes
        self.full_q = self.v + stages * self.k_bytes
        # Four barriers for each stage follow.
        self.full_k = self.full_q + 8
        self.empty_k = self.full_k + 8 * stages
        self.full_v = self.empty_k + 8 * stages
        self.empty_v = self.full_v + 8 * stages
        self.bytes = self.empty_v + 8 * stages


def head(layout, causal):
    def init(offset, count):
        return (f"\n  @%first mbarrier.init.shared::cta.b64 "
                f"[%base+{offset}], {count};")

    barriers = init(layout.full_q, 1)
    for s in range(layout.stages):
        for full in (layout.full_k, layout.full_v):
            barriers += init(full + 8 * s, 1)
        for empty in (layout.empty_k, layout.empty_v):
            barriers += init(empty + 8 * s, CONSUMERS)
    return f"""\
// attention.py: heads of {layout.head}, blocks of {layout.keys} keys, \
{layout.stages} stages{", causal" if causal else ""}.
// Launch with {layout.bytes} bytes of dynamic shared memory.
.version 8.6
.target sm_90a
.address_size 64

.extern .shared .align 1024 .b8 smem[];

.visible .entry attention(
  .param .align 64 .b8 mapQ[128],
  .param .align 64 .b8 mapK[128],
  .param .align 64 .b8 mapV[128],
  .param .align 64 .b8 mapO[128],
  .param .u64 sums,    // f32[heads][queries]
  .param .u32 queries,
  .param .u32 keys,
  .param .f32 scale    // of S, times log2(e)
)
.reqntid 384, 1, 1
.minnctapersm 1
{{
  .reg .pred %first, %p, %more;
  .reg .b32 %base, %thread, %group, %head, %row, %queries, %keys, %blocks, %n;
  .reg .b32 %stage, %parity;
  .reg .b64 %map;

  mov.u32 %base, smem;
  mov.u32 %thread, %tid.x;
  shr.u32 %group, %thread, 7;
  mov.u32 %head, %ctaid.y;
  mov.u32 %row, %ctaid.x;
  mul.lo.u32 %row, %row, {QUERIES};
  ld.param.u32 %queries, [queries];
  ld.param.u32 %keys, [keys];
{count_blocks(layout, causal)}
  setp.eq.u32 %first, %thread, 0;{barriers}
  @%first fence.mbarrier_init.release.cluster;
  bar.sync 0;

  mov.u32 %stage, 0;
  setp.ne.u32 %p, %group, 0;
  @%p bra CONSUMER;
"""


def count_blocks(layout, causal):
    """How many blocks of keys the queries of this block see."""
    lines = ["  mov.u32 %blocks, %keys;"]
    if causal:  # the last query sees the last key
        lines += ["  sub.u32 %n, %keys, %queries;",
                  "  add.u32 %n, %n, %row;",
                  f"  add.u32 %n, %n, {QUERIES};",
                  "  min.u32 %blocks, %blocks, %n;"]
    lines += [f"  add.u32 %blocks, %blocks, {layout.keys - 1};",
              f"  div.u32 %blocks, %blocks, {layout.keys};"]
    return "\n".join(lines)


def wait(barrier, parity, label):
    """Waits for the phase of a parity; a try may come back without it."""
    return f"""\
{label}:
  mbarrier.try_wait.parity.acquire.cta.shared::cta.b64 %p, [{barrier}], {parity};
  @!%p bra {label};
"""


def producer(layout):
    load = ("cp.async.bulk.tensor.3d.shared::cluster.global.tile"
            ".mbarrier::complete_tx::bytes")

    def copy(what, panel_bytes, row):
        lines = []
        for i in range(layout.panels):
            lines.append(f"  {load} [%to], [%map{what}, {{{PANEL * i}, {row}, "
                         f"%head}}], [%full];")
            if i + 1 < layout.panels:
                lines.append(f"  add.u32 %to, %to, {panel_bytes};")
        return "\n".join(lines)

    def ring(what, full, empty, tile):
        return f"""\
  mad.lo.u32 %full, %stage, 8, %base;
  add.u32 %empty, %full, {empty};
  add.u32 %full, %full, {full};
{wait("%empty", "%parity", f"WAIT_EMPTY_{what}")}\
  mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%full], {layout.k_bytes};
  mad.lo.u32 %to, %stage, {layout.k_bytes}, %base;
  add.u32 %to, %to, {tile};
{copy(what, layout.k_panel, "%key")}
"""

    return f"""
  // The warpgroup that copies.
  setmaxnreg.dec.sync.aligned.u32 24;
  setp.ge.u32 %p, %thread, 32;
  @%p bra DONE;
  elect.sync _|%p, 0xffffffff;
  @!%p bra DONE;
  .reg .b32 %full, %empty, %to, %key;
  .reg .b64 %mapQ, %mapK, %mapV;
  mov.b64 %mapQ, mapQ;
  cvta.param.u64 %mapQ, %mapQ;
  mov.b64 %mapK, mapK;
  cvta.param.u64 %mapK, %mapK;
  mov.b64 %mapV, mapV;
  cvta.param.u64 %mapV, %mapV;
  prefetch.tensormap [%mapQ];
  prefetch.tensormap [%mapK];
  prefetch.tensormap [%mapV];
  add.u32 %full, %base, {layout.full_q};
  mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%full], {layout.q_bytes};
  mov.u32 %to, %base;
{copy("Q", layout.q_panel, "%row")}
  // Parity 1 of a fresh barrier: the stages are free in the first round.
  mov.u32 %parity, 1;
  mov.u32 %n, 0;
COPY:
  mul.lo.u32 %key, %n, {layout.keys};
{ring("K", layout.full_k, layout.empty_k, layout.k)}\
{ring("V", layout.full_v, layout.empty_v, layout.v)}\
{next_stage(layout, "%stage", "%parity")}\
  add.u32 %n, %n, 1;
  setp.lt.u32 %p, %n, %blocks;
  @%p bra COPY;
  bra DONE;
"""


def next_stage(layout, stage, parity):
    """Goes round the ring; the parity changes with every round."""
    return f"""\
  add.u32 {stage}, {stage}, 1;
  setp.eq.u32 %p, {stage}, {layout.stages};
  @%p mov.u32 {stage}, 0;
  @%p xor.b32 {parity}, {parity}, 1;
"""


def registers(name, count):
    return ", ".join(f"%{name}{i}" for i in range(count))


def descriptor(result, offset, constant=DESCRIPTOR):
    """The descriptor of the memory at a register's offset."""
    return f"""\
  and.b32 {offset}, {offset}, 0x3ffff;
  shr.u32 {offset}, {offset}, 4;
  cvt.u64.u32 {result}, {offset};
  or.b64 {result}, {result}, {constant:#x};
"""


def scores(layout):
    """Starts S = Q * K^T of the stage: both operands by descriptor."""
    shape = f"wgmma.mma_async.sync.aligned.m64n{layout.keys}k16.f32.bf16.bf16"
    lines = [f"""\
  mad.lo.u32 %at, %stage, {layout.k_bytes}, %base;
  add.u32 %at, %at, {layout.k};
{descriptor("%descB", "%at")}\
  mov.b64 %descA, %descQ;
  wgmma.fence.sync.aligned;"""]
    for i in range(layout.head // 16):
        if i:  # 32 bytes further in the row, or the next panel
            inside = i % 4 != 0
            step_a = 2 if inside else (layout.q_panel >> 4) - 6
            step_b = 2 if inside else (layout.k_panel >> 4) - 6
            lines += [f"  add.u64 %descA, %descA, {step_a};",
                      f"  add.u64 %descB, %descB, {step_b};"]
        lines.append(f"  {shape} {{{registers('s', layout.keys // 2)}}}, %descA, "
                     f"%descB, {int(i > 0)}, 1, 1, 0, 0;")
    lines.append("  wgmma.commit_group.sync.aligned;\n")
    return "\n".join(lines)


def values(layout, scale):
    """Starts O += P * V of the stage: P in registers, V transposed."""
    shape = f"wgmma.mma_async.sync.aligned.m64n{layout.head}k16.f32.bf16.bf16"
    lines = [f"""\
  mad.lo.u32 %at, %stageV, {layout.k_bytes}, %base;
  add.u32 %at, %at, {layout.v};
{descriptor("%descB", "%at", DESCRIPTOR | layout.k_panel >> 4 << 16)}\
  wgmma.fence.sync.aligned;"""]
    for i in range(layout.keys // 16):
        if i:  # 16 keys further
            lines.append(f"  add.u64 %descB, %descB, {16 * ROW_BYTES >> 4};")
        a = ", ".join(f"%p{4 * i + j}" for j in range(4))
        lines.append(f"  {shape} {{{registers('o', layout.head // 2)}}}, {{{a}}}, "
                     f"%descB, {1 if i else scale}, 1, 1, 1;")
    lines.append("  wgmma.commit_group.sync.aligned;\n")
    return "\n".join(lines)


def release(barrier, stage):
    """One thread of the warpgroup says that it has read a stage."""
    return f"""\
  mad.lo.u32 %at, {stage}, 8, %base;
  @%tells mbarrier.arrive.release.cta.shared::cta.b64 _, [%at+{barrier}];
"""


def mask(layout, causal):
    """Sets S to minus infinity where a query does not see a key. %room says how
    many columns from the thread's first one its two rows have."""
    limit = "  mov.u32 %room0, %keys;\n  mov.u32 %room1, %keys;"
    if causal:
        limit = """\
  sub.u32 %at, %keys, %queries;
  add.u32 %at, %at, %query;
  add.u32 %room0, %at, 1;
  add.u32 %room1, %at, 9;
  min.u32 %room0, %room0, %keys;
  min.u32 %room1, %room1, %keys;"""
    lines = [f"""\
{limit}
  mad.lo.u32 %at, %n, {layout.keys}, %column;
  sub.s32 %room0, %room0, %at;
  sub.s32 %room1, %room1, %at;"""]
    for i in range(layout.keys // 2):
        lines.append(f"  setp.gt.s32 %p, %room{i // 2 % 2}, "
                     f"{8 * (i // 4) + i % 2};\n"
                     f"  selp.f32 %s{i}, %s{i}, 0fFF800000, %p;")
    return "\n".join(lines) + "\n"


def softmax(layout):
    """Makes S the numerators, and moves maximum and sum of both rows on."""
    lines = []
    for half in (0, 1):
        own = [i for i in range(layout.keys // 2) if i // 2 % 2 == half]
        lines.append(f"  mov.f32 %old, %max{half};")
        lines += [f"  max.f32 %max{half}, %max{half}, %s{i};" for i in own]
        for distance in (1, 2):  # the four threads of a row
            lines.append(f"""\
  shfl.sync.bfly.b32 %other, %max{half}, {distance}, 0x1f, 0xffffffff;
  max.f32 %max{half}, %max{half}, %other;""")
        lines.append(f"""\
  sub.ftz.f32 %old, %old, %max{half};
  mul.ftz.f32 %old, %old, %scale;
  ex2.approx.ftz.f32 %shrink{half}, %old;
  mul.ftz.f32 %offset, %max{half}, %scale;
  neg.ftz.f32 %offset, %offset;
  mul.ftz.f32 %sum{half}, %sum{half}, %shrink{half};""")
        for i in own:
            lines.append(f"""\
  fma.rn.ftz.f32 %s{i}, %s{i}, %scale, %offset;
  ex2.approx.ftz.f32 %s{i}, %s{i};
  add.ftz.f32 %sum{half}, %sum{half}, %s{i};""")
    return "\n".join(lines) + "\n"


def pack(layout):
    """Rounds the numerators: the accumulators of 16 columns are operand A."""
    return "".join(f"  cvt.rn.bf16x2.f32 %p{i}, %s{2 * i + 1}, %s{2 * i};\n"
                   for i in range(layout.keys // 4))


def shrink(layout):
    return "".join(f"  mul.ftz.f32 %o{i}, %o{i}, %shrink{i // 2 % 2};\n"
                   for i in range(layout.head // 2))


def consumer(layout, causal):
    return f"""
  // The two warpgroups that compute.
CONSUMER:
  setmaxnreg.inc.sync.aligned.u32 240;
  .reg .pred %tells, %again;
  .reg .b32 %member, %query, %column, %at, %room<2>, %turn, %next;
  .reg .b32 %stageV, %parityV, %bar, %p<{layout.keys // 4}>;
  .reg .b64 %descQ, %descA, %descB;
  .reg .f32 %scale, %max<2>, %sum<2>, %shrink<2>, %old, %other, %offset;
  .reg .f32 %s<{layout.keys // 2}>, %o<{layout.head // 2}>;
  ld.param.f32 %scale, [scale];
  sub.u32 %group, %group, 1;
  and.b32 %member, %thread, 127;
  setp.eq.u32 %tells, %member, 0;
  // Its first query and column: 16 rows for a warp, a row for four threads.
  shr.u32 %query, %member, 5;
  mul.lo.u32 %query, %query, 16;
  shr.u32 %at, %member, 2;
  and.b32 %at, %at, 7;
  add.u32 %query, %query, %at;
  mad.lo.u32 %query, %group, 64, %query;
  add.u32 %query, %query, %row;
  and.b32 %column, %member, 3;
  mul.lo.u32 %column, %column, 2;
  mad.lo.u32 %at, %group, {64 * ROW_BYTES}, %base;
{descriptor("%descQ", "%at")}\
  mov.f32 %max0, 0fFF800000;
  mov.f32 %max1, 0fFF800000;
  mov.f32 %sum0, 0f00000000;
  mov.f32 %sum1, 0f00000000;
  mov.u32 %parity, 0;
  mov.u32 %stageV, 0;
  mov.u32 %parityV, 0;
  mov.u32 %n, 0;
  // Barrier 1 is the turn of the first warpgroup, 2 that of the second. The
  // first may begin.
  add.u32 %turn, %group, 1;
  sub.u32 %next, 2, %group;
  setp.eq.u32 %p, %group, 1;
  @%p bar.arrive %next, 256;

  add.u32 %bar, %base, {layout.full_q};
{wait("%bar", 0, "WAIT_Q")}\
  mad.lo.u32 %bar, %stage, 8, %base;
  add.u32 %bar, %bar, {layout.full_k};
{wait("%bar", "%parity", "WAIT_FIRST_K")}\
  bar.sync %turn, 256;
{scores(layout)}\
  bar.arrive %next, 256;
  wgmma.wait_group.sync.aligned 0;
{release(layout.empty_k, "%stage")}\
{next_stage(layout, "%stage", "%parity")}\
{mask(layout, causal)}\
{softmax(layout)}\
{pack(layout)}\
  mov.u32 %n, 1;
  setp.ge.u32 %p, %n, %blocks;
  @%p bra LAST;
BLOCK:
  mad.lo.u32 %bar, %stage, 8, %base;
  add.u32 %bar, %bar, {layout.full_k};
{wait("%bar", "%parity", "WAIT_K")}\
  bar.sync %turn, 256;
{scores(layout)}\
  mad.lo.u32 %bar, %stageV, 8, %base;
  add.u32 %bar, %bar, {layout.full_v};
{wait("%bar", "%parityV", "WAIT_V")}\
  setp.gt.u32 %again, %n, 1;
{values(layout, "%again")}\
  bar.arrive %next, 256;
  // S is done, O may not be.
  wgmma.wait_group.sync.aligned 1;
{release(layout.empty_k, "%stage")}\
{next_stage(layout, "%stage", "%parity")}\
{mask(layout, causal)}\
{softmax(layout)}\
  wgmma.wait_group.sync.aligned 0;
{release(layout.empty_v, "%stageV")}\
{next_stage(layout, "%stageV", "%parityV")}\
{shrink(layout)}\
{pack(layout)}\
  add.u32 %n, %n, 1;
  setp.lt.u32 %p, %n, %blocks;
  @%p bra BLOCK;
LAST:
  mad.lo.u32 %bar, %stageV, 8, %base;
  add.u32 %bar, %bar, {layout.full_v};
{wait("%bar", "%parityV", "WAIT_LAST_V")}\
  setp.gt.u32 %again, %n, 1;
{values(layout, "%again")}\
  wgmma.wait_group.sync.aligned 0;
{store(layout)}
DONE:
  ret;
}}
"""


def store(layout):
    """Divides by the sums and sends O out, a panel with each copy."""
    lines = []
    for half in (0, 1):
        for distance in (1, 2):
            lines.append(f"""\
  shfl.sync.bfly.b32 %other, %sum{half}, {distance}, 0x1f, 0xffffffff;
  add.ftz.f32 %sum{half}, %sum{half}, %other;""")
        lines.append(f"  rcp.approx.ftz.f32 %shrink{half}, %sum{half};")
    lines.append(f"""\
  // The logarithms: ln(sum) + max * scale, from base 2.
  .reg .b64 %sums, %place;
  .reg .b32 %line;
  ld.param.u64 %sums, [sums];
  mad.lo.u32 %line, %head, %queries, %query;
  mad.wide.u32 %place, %line, 4, %sums;
  setp.eq.u32 %again, %column, 0;""")
    for half in (0, 1):
        lines.append(f"""\
  lg2.approx.ftz.f32 %other, %sum{half};
  fma.rn.ftz.f32 %other, %max{half}, %scale, %other;
  mul.ftz.f32 %other, %other, 0f3F317218;
  add.u32 %at, %query, {8 * half};
  setp.lt.and.u32 %p, %at, %queries, %again;
  @%p st.global.f32 [%place+{32 * half}], %other;""")
    lines.append(shrink(layout) + f"""\
  // Which row of an 8 x 8 matrix this lane gives the address of, and its chunk of
  // 8 columns. All of Q was read.
  .reg .b32 %r<5>, %h<4>;
  shr.u32 %r0, %member, 5;
  and.b32 %r1, %member, 15;
  mad.lo.u32 %r0, %r0, 16, %r1;
  mad.lo.u32 %r2, %group, {64 * ROW_BYTES}, %base;
  mad.lo.u32 %r1, %r0, {ROW_BYTES}, %r2;
  and.b32 %r0, %r0, 7;
  shr.u32 %r3, %member, 4;
  and.b32 %r3, %r3, 1;""")
    for column in range(0, layout.head, 16):
        for i in range(4):
            o = column // 2 + 2 * i
            lines.append(f"  cvt.rn.bf16x2.f32 %h{i}, %o{o + 1}, %o{o};")
        panel, chunk = column // PANEL * layout.q_panel, column % PANEL // 8
        lines.append(f"""\
  add.u32 %r4, %r3, {chunk};
  xor.b32 %r4, %r4, %r0;
  mad.lo.u32 %r4, %r4, 16, %r1;
  stmatrix.sync.aligned.m8n8.x4.shared.b16 [%r4+{panel}], {{%h0, %h1, %h2, %h3}};""")
    lines.append("""\
  // Every thread shows what it wrote to the async proxy.
  fence.proxy.async.shared::cta;
  add.u32 %at, %group, 3;
  bar.sync %at, 128;
  @!%tells bra DONE;
  mov.b64 %map, mapO;
  cvta.param.u64 %map, %map;
  mad.lo.u32 %row, %group, 64, %row;""")
    for i in range(layout.panels):
        lines.append(f"""\
  cp.async.bulk.tensor.3d.global.shared::cta.tile.bulk_group [%map, {{{PANEL * i}, %row, %head}}], [%r2];
  add.u32 %r2, %r2, {layout.q_panel};""")
    lines.append("""\
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group.read 0;""")
    return "\n".join(lines)


def text(head_size=64, keys=64, stages=2, causal=False):
    layout = Layout(head_size, keys, stages)
    return head(layout, causal) + producer(layout) + consumer(layout, causal)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--head", type=int, default=64, choices=(64, 128))
    parser.add_argument("--keys", type=int, default=64, choices=(64, 128),
                        help="of a block")
    parser.add_argument("--stages", type=int, default=2)
    parser.add_argument("--causal", action="store_true")
    options = parser.parse_args()
    print(text(options.head, options.keys, options.stages, options.causal), end="")


if __name__ == "__main__":
    main()
