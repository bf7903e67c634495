// Bank conflicts: how many wavefronts shared memory needs for an access of a warp.
//
// 32 banks of 4 bytes; a wavefront takes one word from each, and gives it to all
// lanes that want some of it. Accesses of up to 4 bytes are one wavefront if no
// bank has two words. Wider ones are served in halves of a warp (8 bytes) or in
// quarters (16 bytes), each at least one wavefront, since 128 bytes come back in a
// cycle; two neighbours of these parts are served as one if all pairs of lanes n
// and n ^ 1, or all of n and n ^ 2, want the same address. An atomic serves one
// lane of a word at a time.
//
// Sources: CUDA C++ Programming Guide, "Shared Memory" of compute capability 5.x
// and later; for the pairs, an NVIDIA engineer at
// forums.developer.nvidia.com/t/unexpected-shared-memory-bank-conflict/77228,
// stated for 7.0 to 7.5 and assumed of 9.0. "Wavefront" and "ideal" as in Nsight
// Compute. What wgmma and bulk copies do to the banks is not published and not
// modelled.

#ifndef TCC_TOOLS_PTXSIM_COUNT_BANKS_H
#define TCC_TOOLS_PTXSIM_COUNT_BANKS_H

#include <cstdint>
#include <vector>

namespace ptxsim {

struct Wavefronts {
  uint32_t needed = 0;
  uint32_t ideal = 0; ///< Without two words in a bank.
};

/// Returns the wavefronts of loads and stores.
///
/// \param offsets of the 32 lanes in shared memory, multiples of `bytes`.
/// \param bytes of a lane: 1, 2, 4, 8 or 16.
/// \param mask of the lanes that take part, at least one.
Wavefronts wavefrontsOf(const uint32_t *offsets, uint32_t bytes, uint32_t mask);

/// Returns those of ldmatrix and stmatrix, whose lanes have rows of 16 bytes: each
/// matrix is a quarter of a warp, and none shares a wavefront with another.
Wavefronts matrixWavefronts(const uint32_t *offsets, uint32_t mask);

/// Returns those of wmma.load and wmma.store, as if each wavefront took one word
/// from each bank, whichever lane wants it: how the hardware orders the elements
/// is not known. `words` are sorted, each once.
Wavefronts fragmentWavefronts(const std::vector<uint32_t> &words);

/// Returns those of atomics.
Wavefronts atomicWavefronts(const uint32_t *offsets, uint32_t bytes,
                            uint32_t mask);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_COUNT_BANKS_H
