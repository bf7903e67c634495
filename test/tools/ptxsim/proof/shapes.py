"""The kernels of this folder in other shapes: sizes that fill no tile, all numbers
of stages, other tiles, clusters, heads and blocks of keys."""

from cases import Attention, CausalAttention, Gemm

GEMM = [
    dict(rows=8, columns=8, depth=8, tile=64, stages=2),
    dict(rows=257, columns=136, depth=72, tile=64, stages=2),
    dict(rows=100, columns=200, depth=1000, stages=4, cluster=1),
    dict(rows=300, columns=264, depth=320, tile=256, stages=2),
    dict(rows=512, columns=520, depth=200, tile=256, stages=3),
    dict(rows=384, columns=128, depth=448, stages=5, clusters=2),
    dict(rows=700, columns=192, depth=136, tile=64, stages=5, cluster=4),
    dict(rows=1024, columns=64, depth=64, tile=64, stages=3, cluster=8),
    dict(rows=640, columns=320, depth=64, tile=64, clusters=3, cluster=1),
]

ATTENTION = [
    dict(heads=1, queries=1, keys=1),
    dict(heads=1, queries=1, keys=300, stages=3),
    dict(heads=3, queries=63, keys=65, stages=5),
    dict(heads=1, queries=130, keys=450, stages=4),
    dict(heads=1, queries=129, keys=129, block=128),
    dict(heads=1, queries=100, keys=640, block=128, stages=4),
    dict(heads=1, queries=128, keys=200, size=128),
    dict(heads=2, queries=60, keys=260, size=128, stages=5),
    dict(heads=1, queries=140, keys=390, size=128, block=128),
    dict(heads=1, queries=64, keys=500, size=128, block=128, stages=3),
]


def shapes(name):
    """The cases of a kernel, one after the other."""
    for kernel, sizes in ((Gemm, GEMM), (Attention, ATTENTION),
                          (CausalAttention, ATTENTION)):
        if kernel.name == name:
            for size in sizes:
                yield kernel(**size), ", ".join(f"{key} {value}"
                                                for key, value in size.items())
