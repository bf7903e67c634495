// Philox4x32-10, a random number generator without state: the numbers of a
// position can be computed anywhere, in any order, on any device.
//
// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1,
// 2, 3", SC 2011, section 3.2, and the Random123 library that goes with it.

#ifndef TCC_RUNTIME_CORE_PHILOX_H
#define TCC_RUNTIME_CORE_PHILOX_H

#include <array>
#include <cstdint>

namespace tcc::rt {

/// The four random words of `counter` under `key`.
inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter,
                                      std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t first = uint64_t(0xD2511F53) * counter[0];
    uint64_t second = uint64_t(0xCD9E8D57) * counter[2];
    counter = {static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(second),
               static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(first)};
    key[0] += 0x9E3779B9; // The golden ratio, and below sqrt(3) - 1.
    key[1] += 0xBB67AE85;
  }
  return counter;
}

/// What a random number is for. Numbers of different streams are independent.
enum class Stream : uint8_t { Token, Draft, Acceptance, Residual };

/// A number in [0, 1) with 53 random bits of `stream`, for the token at
/// `position`, below 2^56, of request `request`.
inline double uniformAt(uint64_t seed, uint64_t request, uint64_t position,
                        Stream stream = Stream::Token) {
  auto low = [](uint64_t x) { return static_cast<uint32_t>(x); };
  auto high = [](uint64_t x) { return static_cast<uint32_t>(x >> 32); };
  position |= uint64_t(stream) << 56;
  std::array<uint32_t, 4> words =
      philox({low(position), high(position), low(request), high(request)},
             {low(seed), high(seed)});
  uint64_t bits = (uint64_t(words[0]) << 32 | words[1]) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_PHILOX_H
