#!/usr/bin/env python3
"""Prints a matrix product for Hopper as PTX: D = A * B^T in bf16.

A is M x K, B is N x K, D is M x N, all row by row. What the kernel is made of:

* Blocks of 384 threads: a warpgroup that copies (one thread of it does) and
  two that multiply, 64 rows of the tile each. setmaxnreg moves registers from
  the first to the others.
* Clusters of blocks, two if nothing else is said, whose tiles lie below each
  other. They need the same rows of B: each copies its part of them into all
  blocks (multicast).
* A ring of stages in shared memory. "full" says that the copies of a stage have
  come, "empty" that all warpgroups of the cluster have read theirs; a warpgroup
  tells every block, since each writes to its stage.
* Persistent: a cluster goes on with the tile that is as many further as there
  are clusters. The stages of the next tile are copied meanwhile.
* The results go through shared memory (stmatrix) and out by TMA.

A row of a tile is 64 elements, 128 bytes, in the 128-byte swizzle throughout.
"""

import argparse

ROWS = 128  # of a block's tile: 64 for each of two warpgroups
DEPTH = 64  # elements of K in a stage
ROW_BYTES = 2 * DEPTH
CONSUMERS = 2

# Of a wgmma descriptor: 128-byte swizzle, 1024 bytes from 8 rows to the next 8.
DESCRIPTOR = 1 << 62 | 1024 >> 4 << 32 | 1 << 16


class Layout:
    """Where things are in shared memory, in bytes."""

    def __init__(self, columns, stages, cluster=2):
        self.columns = columns
        self.stages = stages
        self.cluster = cluster  # blocks
        self.a = ROWS * ROW_BYTES
        self.b = columns * ROW_BYTES
        self.stage = self.a + self.b
        self.d = stages * self.stage
        self.group_d = 64 * columns * 2  # a warpgroup's part of d
        self.full = self.d + CONSUMERS * self.group_d
        self.empty = self.full + 8 * stages
        self.bytes = self.empty + 8 * stages


def head(layout):
    barriers = "".join(
        f"""
  @%first mbarrier.init.shared::cta.b64 [%base+{layout.full + 8 * s}], 1;
  @%first mbarrier.init.shared::cta.b64 [%base+{layout.empty + 8 * s}], {layout.cluster * CONSUMERS};"""
        for s in range(layout.stages))
    return f"""\
// gemm.py: D = A * B^T, tiles of {ROWS} x {layout.columns}, {layout.stages} stages, \
clusters of {layout.cluster}.
// Launch with {layout.bytes} bytes of dynamic shared memory.
.version 8.6
.target sm_90a
.address_size 64

.extern .shared .align 1024 .b8 smem[];

.visible .entry gemm(
  .param .align 64 .b8 mapA[128],
  .param .align 64 .b8 mapB[128],
  .param .align 64 .b8 mapD[128],
  .param .u32 tiles,   // of a cluster, {layout.cluster} blocks high
  .param .u32 columns, // of tiles
  .param .u32 steps    // of {DEPTH} along K
)
.explicitcluster
.reqnctapercluster {layout.cluster}, 1, 1
.reqntid 384, 1, 1
.minnctapersm 1
{{
  .reg .pred %first, %p, %more;
  .reg .b32 %base, %thread, %group, %rank, %clusters;
  .reg .b32 %tiles, %columns, %steps, %tile, %row, %column, %step;
  .reg .b32 %stage, %parity, %full, %empty, %at;
  .reg .b64 %mapA, %mapB, %mapD;

  mov.u32 %base, smem;
  mov.u32 %thread, %tid.x;
  shr.u32 %group, %thread, 7;
  mov.u32 %rank, %cluster_ctarank;
  mov.u32 %tile, %clusterid.x;
  mov.u32 %clusters, %nclusterid.x;
  ld.param.u32 %tiles, [tiles];
  ld.param.u32 %columns, [columns];
  ld.param.u32 %steps, [steps];
  mov.b64 %mapA, mapA;
  cvta.param.u64 %mapA, %mapA;
  mov.b64 %mapB, mapB;
  cvta.param.u64 %mapB, %mapB;
  mov.b64 %mapD, mapD;
  cvta.param.u64 %mapD, %mapD;

  // One thread makes the barriers; the cluster waits for those of all blocks.
  setp.eq.u32 %first, %thread, 0;{barriers}
  @%first fence.mbarrier_init.release.cluster;
  barrier.cluster.arrive.relaxed.aligned;
  barrier.cluster.wait.acquire.aligned;

  mov.u32 %stage, 0;
  setp.ne.u32 %p, %group, 0;
  @%p bra CONSUMER;
"""


def next_tile(layout, loop, end):
    """The head of the loop over tiles: rows and columns of the next one."""
    return f"""
{loop}:
  setp.ge.u32 %p, %tile, %tiles;
  @%p bra {end};
  div.u32 %row, %tile, %columns;
  rem.u32 %column, %tile, %columns;
  mad.lo.u32 %row, %row, {layout.cluster}, %rank;
"""


def next_stage(layout):
    """Goes round the ring; the parity changes with every round."""
    return f"""\
  add.u32 %stage, %stage, 1;
  setp.eq.u32 %p, %stage, {layout.stages};
  @%p mov.u32 %stage, 0;
  @%p xor.b32 %parity, %parity, 1;
"""


def producer(layout):
    load = ("cp.async.bulk.tensor.2d.shared::cluster.global.tile"
            ".mbarrier::complete_tx::bytes")
    part = layout.columns // layout.cluster
    return f"""
  // The warpgroup that copies. Waiting for parity 1 of a fresh "empty" barrier
  // returns at once: the stages are free in the first round.
  setmaxnreg.dec.sync.aligned.u32 40;
  setp.ge.u32 %p, %thread, 32;
  @%p bra DONE;
  elect.sync _|%p, 0xffffffff;
  @!%p bra COPIED;
  .reg .b16 %all;
  .reg .b32 %depth, %to;
  mov.u16 %all, {(1 << layout.cluster) - 1};
  mov.u32 %parity, 1;
{next_tile(layout, "COPY_TILE", "COPIED")}
  mul.lo.u32 %row, %row, {ROWS};
  mul.lo.u32 %column, %column, {layout.columns};
  mad.lo.u32 %column, %rank, {part}, %column;
  mov.u32 %step, 0;
COPY:
  mad.lo.u32 %full, %stage, 8, %base;
  add.u32 %full, %full, {layout.full};
  add.u32 %empty, %full, {layout.empty - layout.full};
WAIT_EMPTY:
  mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p, [%empty], %parity;
  @!%p bra WAIT_EMPTY;
  // Its own rows of A, and all parts of B: the others come from other blocks.
  mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%full], {layout.stage};
  mul.lo.u32 %depth, %step, {DEPTH};
  mad.lo.u32 %to, %stage, {layout.stage}, %base;
  {load} [%to], [%mapA, {{%depth, %row}}], [%full];
  mad.lo.u32 %to, %rank, {part * ROW_BYTES}, %to;
  add.u32 %to, %to, {layout.a};
  {load}.multicast::cluster [%to], [%mapB, {{%depth, %column}}], [%full], %all;
{next_stage(layout)}\
  add.u32 %step, %step, 1;
  setp.lt.u32 %more, %step, %steps;
  @%more bra COPY;
  add.u32 %tile, %tile, %clusters;
  bra COPY_TILE;
COPIED:
  bar.warp.sync 0xffffffff;
  bra.uni DONE;
"""


def release():
    """Some threads of a warpgroup tell one block each that a stage was read."""
    return """\
  @%tells mapa.shared::cluster.u32 %remote, %read, %member;
  @%tells mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%remote];
"""


def multiply(layout):
    """The four wgmma of a stage."""
    registers = ", ".join(f"%d{i}" for i in range(layout.columns // 2))
    shape = f"wgmma.mma_async.sync.aligned.m64n{layout.columns}k16.f32.bf16.bf16"
    lines = []
    for i in range(DEPTH // 16):
        if i:  # 16 elements further inside the swizzled row: 32 bytes
            lines += ["  add.u64 %descA, %descA, 2;",
                      "  add.u64 %descB, %descB, 2;"]
        lines.append(f"  {shape} {{{registers}}}, %descA, %descB, "
                     f"{'1' if i else '%more'}, 1, 1, 0, 0;")
    return "\n".join(lines)


def consumer(layout):
    return f"""
  // The two warpgroups that multiply.
CONSUMER:
  setmaxnreg.inc.sync.aligned.u32 232;
  .reg .pred %tells, %telling, %stores;
  .reg .b32 %member, %read, %remote, %fromA, %fromB;
  .reg .b64 %descA, %descB;
  .reg .f32 %d<{layout.columns // 2}>;
  sub.u32 %group, %group, 1;
  and.b32 %member, %thread, 127;
  setp.lt.u32 %telling, %member, {layout.cluster};
  setp.eq.u32 %stores, %member, 0;
  mov.u32 %parity, 0;
{next_tile(layout, "TILE", "STORED")}
  mov.u32 %step, 0;
STEP:
  mad.lo.u32 %full, %stage, 8, %base;
  add.u32 %full, %full, {layout.full};
WAIT_FULL:
  mbarrier.try_wait.parity.acquire.cta.shared::cta.b64 %p, [%full], %parity;
  @!%p bra WAIT_FULL;
  mad.lo.u32 %at, %stage, {layout.stage}, %base;
  mad.lo.u32 %fromA, %group, {64 * ROW_BYTES}, %at;
  add.u32 %fromB, %at, {layout.a};
  shr.u32 %fromA, %fromA, 4;
  shr.u32 %fromB, %fromB, 4;
  cvt.u64.u32 %descA, %fromA;
  cvt.u64.u32 %descB, %fromB;
  or.b64 %descA, %descA, {DESCRIPTOR:#x};
  or.b64 %descB, %descB, {DESCRIPTOR:#x};
  setp.ne.u32 %more, %step, 0;
  wgmma.fence.sync.aligned;
{multiply(layout)}
  wgmma.commit_group.sync.aligned;
  // The products of the step before are done, those of this one may run on.
  wgmma.wait_group.sync.aligned 1;
  and.pred %tells, %telling, %more;
{release()}\
  add.u32 %read, %full, {layout.empty - layout.full};
{next_stage(layout)}\
  add.u32 %step, %step, 1;
  setp.lt.u32 %p, %step, %steps;
  @%p bra STEP;
  wgmma.wait_group.sync.aligned 0;
  mov.pred %tells, %telling;
{release()}\
{store(layout)}
  add.u32 %tile, %tile, %clusters;
  bra TILE;
STORED:
  // The memory that the last copies read must outlive them.
  @%stores cp.async.bulk.wait_group.read 0;
"""


def store(layout):
    """Rounds the results and sends them out, 64 columns with each copy."""
    lines = [f"""
  {{
  .reg .b32 %r<8>, %h<4>;
  // Which row of an 8 x 8 matrix this lane gives the address of, and its chunk
  // of 8 columns.
  and.b32 %r0, %member, 15;
  shr.u32 %r1, %member, 5;
  mad.lo.u32 %r0, %r1, 16, %r0;
  mad.lo.u32 %r2, %group, {layout.group_d}, %base;
  add.u32 %r2, %r2, {layout.d};
  mad.lo.u32 %r3, %r0, {ROW_BYTES}, %r2;
  shr.u32 %r4, %member, 4;
  and.b32 %r4, %r4, 1;
  and.b32 %r5, %r0, 7;
  // The copies of the tile before have read this memory.
  @%stores cp.async.bulk.wait_group.read 0;
  add.u32 %r6, %group, 1;
  bar.sync %r6, 128;"""]
    for column in range(0, layout.columns, 16):
        for i in range(4):
            d = column // 2 + 2 * i
            lines.append(f"  cvt.rn.bf16x2.f32 %h{i}, %d{d + 1}, %d{d};")
        panel, chunk = column // DEPTH * 64 * ROW_BYTES, column % DEPTH // 8
        lines.append(f"""\
  add.u32 %r7, %r4, {chunk};
  xor.b32 %r7, %r7, %r5;
  mad.lo.u32 %r7, %r7, 16, %r3;
  stmatrix.sync.aligned.m8n8.x4.shared.b16 [%r7+{panel}], {{%h0, %h1, %h2, %h3}};""")
    lines.append(f"""\
  // Every thread shows what it wrote to the async proxy.
  fence.proxy.async.shared::cta;
  bar.sync %r6, 128;
  mad.lo.u32 %r0, %row, 2, %group;
  mul.lo.u32 %r0, %r0, 64;
  mul.lo.u32 %r1, %column, {layout.columns};""")
    for column in range(0, layout.columns, DEPTH):
        lines.append(f"""\
  @%stores cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%mapD, {{%r1, %r0}}], [%r2];
  add.u32 %r1, %r1, {DEPTH};
  add.u32 %r2, %r2, {64 * ROW_BYTES};""")
    lines.append("  @%stores cp.async.bulk.commit_group;\n  }")
    return "\n".join(lines)


def tail():
    return """
DONE:
  // Other blocks write into this one's memory until they are done, too.
  barrier.cluster.arrive.release.aligned;
  barrier.cluster.wait.acquire.aligned;
  ret;
}
"""


def text(columns=128, stages=3, cluster=2):
    layout = Layout(columns, stages, cluster)
    return head(layout) + producer(layout) + consumer(layout) + tail()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--columns", type=int, default=128,
                        choices=(64, 128, 256), help="of a tile")
    parser.add_argument("--stages", type=int, default=3,
                        help="at least 2: a step is released in the next one")
    parser.add_argument("--cluster", type=int, default=2, choices=(1, 2, 4, 8),
                        help="blocks")
    options = parser.parse_args()
    print(text(options.columns, options.stages, options.cluster), end="")


if __name__ == "__main__":
    main()
