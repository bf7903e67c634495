// No input may ask for memory out of proportion to its size.

#ifndef TCC_TEST_FUZZ_ALLOCATIONLIMIT_H
#define TCC_TEST_FUZZ_ALLOCATIONLIMIT_H

#include <cstddef>
#include <cstdint>
#include <sanitizer/allocator_interface.h>

namespace tcc {

/// Ends the process when, in its lifetime, the heap of this thread grows by
/// more than reading an input of `size` bytes may take. JSON and added tokens
/// take tens of bytes for one; the constant is for the list of tensors of a
/// Llama with 4096 layers, which a few bytes can ask for.
class AllocationLimit {
public:
  explicit AllocationLimit(size_t size) : outer(left) {
    static const int hooks = __sanitizer_install_malloc_and_free_hooks(
        [](const volatile void *, size_t bytes) {
          left -= static_cast<int64_t>(bytes);
          if (left >= 0)
            return;
          left = INT64_MAX / 2; // For the report.
          __builtin_trap();
        },
        [](const volatile void *memory) {
          if (memory)
            left += static_cast<int64_t>(__sanitizer_get_allocated_size(
                const_cast<const void *>(memory)));
        });
    (void)hooks;
    left = (int64_t{16} << 20) + int64_t{64} * static_cast<int64_t>(size);
  }
  ~AllocationLimit() { left = outer; }

private:
  static inline thread_local int64_t left = INT64_MAX / 2;
  int64_t outer;
};

} // namespace tcc

#endif // TCC_TEST_FUZZ_ALLOCATIONLIMIT_H
