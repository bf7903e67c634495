// What an H100 SXM5 is like. The one place that knows; all figures are of the
// whole device unless they say otherwise.
//
// Sources:
// - [Driver] CUDA Driver API, cuTensorMapEncodeTiled
// - [PTX] PTX ISA, "Register Fragments for wgmma.mma_async.m64nNk16"
// - [Lockwood] glennklockwood.com/garden/processors/h100

#ifndef TCC_COMPILER_TARGET_H100_DEVICE_H
#define TCC_COMPILER_TARGET_H100_DEVICE_H

#include <cstdint>

namespace mlir::tcc::h100 {

/// Streaming multiprocessors [Lockwood].
constexpr int64_t multiprocessors = 132;

/// Of a multiprocessor, dense products of 16 bits in a clock: 989.4 TFLOP/s at
/// 1.83 GHz are 4096 on each [Lockwood].
constexpr double tensorFlopsOfClock = 4096;

/// Clocks in a second while tensor cores work [Lockwood].
constexpr double clocksOfSecond = 1.83e9;

/// Of a multiprocessor, operations of f32 in the lanes of threads in a clock,
/// and clocks in a second without tensor cores [Lockwood].
constexpr double laneFlopsOfClock = 256, laneClocksOfSecond = 1.98e9;

/// Seconds of a launch in a graph that does nothing: 1.3 us (Hazy Research,
/// "Look Ma, No Bubbles!", on an H100).
constexpr double launchSeconds = 1.3e-6;

/// Bytes in a clock that the L2 cache delivers to a multiprocessor: 5120 to
/// all, as it was on the A100 (NVIDIA A100 Tensor Core GPU Architecture, "L2
/// Cache Read BW"); nothing says that there are fewer.
constexpr double cacheBytesOfClock = 5120.0 / multiprocessors;

/// The same of memory: 3.35 TB/s to all [Lockwood].
constexpr double memoryBytesOfSecond = 3.35e12;
constexpr double memoryBytesOfClock =
    memoryBytesOfSecond / clocksOfSecond / multiprocessors;

/// Those that clusters of 4 or 8 blocks can have, one block each: clusters are
/// in one of 8 groups of 16 or 18 multiprocessors (NVIDIA H100 Tensor Core GPU
/// Architecture, "H100 GPU Hardware Architecture In-Depth").
constexpr int64_t clusteredMultiprocessors = 128;

/// Shared memory of a block, in bytes: 227 KB (CUDA C++ Programming Guide,
/// "Technical Specifications per Compute Capability").
constexpr int64_t sharedBytesOfBlock = 232448;

/// Of the cache that all multiprocessors share (NVIDIA H100 Tensor Core GPU
/// Architecture, "H100 L2 cache").
constexpr int64_t l2Bytes = 50 << 20;

/// Strides and addresses of a tensor map, in bytes [Driver].
constexpr int64_t tensorAlignment = 16;

/// Columns n and n + 8 of a sum are in registers of the same thread [PTX].
constexpr int64_t accumulatorColumns = 8;

} // namespace mlir::tcc::h100

#endif // TCC_COMPILER_TARGET_H100_DEVICE_H
