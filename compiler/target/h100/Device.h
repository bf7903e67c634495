// What an H100 SXM5 is like. The one place that knows; all figures are of the
// whole device unless they say otherwise.
//
// Sources:
// - [CUDA] CUDA C++ Programming Guide, "Compute Capabilities", 9.0
// - [Driver] CUDA Driver API, cuTensorMapEncodeTiled
// - [PTX] PTX ISA, "Register Fragments for wgmma.mma_async.m64nNk16"
// - [Lockwood] glennklockwood.com/garden/processors/h100
// - [FlashMLA] deepseek-ai/FlashMLA, docs/20250422-new-kernel-deep-dive.md
// - [fast.cu] pranjalssh/fast.cu, README: a sum over memory
// - [Sim] FlashGPU-Sim, configs/SM90_H100/gpgpusim.config: measured

#ifndef TCC_COMPILER_TARGET_H100_DEVICE_H
#define TCC_COMPILER_TARGET_H100_DEVICE_H

#include <cstdint>

namespace mlir::tcc::h100 {

/// Streaming multiprocessors [Lockwood].
constexpr int64_t multiprocessors = 132;

/// Shared memory that a block can have, in bytes [CUDA, Sim].
constexpr int64_t blockSharedBytes = 232448;

/// Registers of 32 bits of a multiprocessor [CUDA].
constexpr int64_t multiprocessorRegisters = 65536;

/// Clocks in a second under load of the tensor cores: 1.83 GHz at first, 1.6
/// GHz when the load lasts [Lockwood, FlashMLA].
constexpr double sustainedClock = 1.6e9;

/// Floating-point operations of a multiprocessor in a clock, a multiply-add
/// counting as two: of bf16 and f16 on tensor cores [FlashMLA], of f32 in lanes
/// [Lockwood].
constexpr int64_t tensorFlopsPerClock = 4096;
constexpr int64_t laneFlopsPerClock = 256;

/// Powers of two of a multiprocessor in a clock (ex2.approx) [Sim].
constexpr int64_t exponentialsPerClock = 16;

/// Bytes of memory in a second: 3.35e12 by data sheet; 3.0 to 3.24e12 are
/// reached [fast.cu, FlashMLA].
constexpr double memoryBytesPerSecond = 3.35e12;

/// Strides and addresses of a tensor map, in bytes [Driver].
constexpr int64_t tensorAlignment = 16;

/// Columns n and n + 8 of a sum are in registers of the same thread [PTX].
constexpr int64_t accumulatorColumns = 8;

} // namespace mlir::tcc::h100

#endif // TCC_COMPILER_TARGET_H100_DEVICE_H
