// What is released through an address.
//
// Who reads a value learns what was released with it, or with one that atomics have
// made it of. A store by another thread ends that: its readers learn what that
// thread has released itself. An access of another size takes no part.
//
// Source: PTX ISA 9.0, sections 8.7.1 (morally strong), 8.8 (release and acquire
// patterns), 8.9.1 (observation order).

#ifndef TCC_TOOLS_PTXSIM_CHECKS_RELEASESEQUENCE_H
#define TCC_TOOLS_PTXSIM_CHECKS_RELEASESEQUENCE_H

#include "tools/ptxsim/checks/FenceOrder.h"

namespace ptxsim {

/// A strong write.
struct StrongWrite {
  uint32_t warp = 0;  ///< By whom.
  uint32_t bytes = 0; ///< Of an element.
  bool isAtomic = false;
};

inline void join(Knowledge &knowledge, const Knowledge &other) {
  knowledge.join(other);
}

template <typename Known> class ReleaseSequence {
public:
  using Released = std::shared_ptr<const Known>;

  /// Notes a write, which releases `clock` if that is not null.
  ///
  /// \returns false if readers learn nothing any more of what was before.
  bool add(const StrongWrite &write, const Released &clock) {
    bool goesOn = write.isAtomic && write.bytes == last.bytes;
    bool isSame = write.warp == last.warp && write.bytes == last.bytes;
    own = isSame ? joined(own, clock) : clock;
    all = goesOn ? joined(all, clock) : own;
    last = write;
    return goesOn;
  }

  /// What a read of `bytes` learns; null if nothing.
  Released read(uint32_t bytes) const {
    return bytes == last.bytes ? all : nullptr;
  }

  /// Puts something else in the place of all that was released.
  void replace(Released clock) { all = std::move(clock); }

private:
  static Released joined(const Released &a, const Released &b) {
    if (b == nullptr || a == b)
      return a;
    if (a == nullptr)
      return b;
    auto both = std::make_shared<Known>(*a);
    join(*both, *b);
    return both;
  }

  StrongWrite last;
  Released all; ///< With the value that is there.
  Released own; ///< By who has written last.
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_RELEASESEQUENCE_H
