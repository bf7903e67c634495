// How undefined bits pass through an instruction: what is known of it when it is
// decoded.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_TRANSFERRULES_H
#define TCC_TOOLS_PTXSIM_CHECKS_TRANSFERRULES_H

#include <cstdint>

namespace ptxsim {

namespace isa {
class Match;
enum class Transfer : uint8_t;
} // namespace isa

/// What an op does to undefined bits; OpInfo::transfer.
enum class TransferRule : uint8_t {
  /// Any undefined bit of a lane makes its results undefined.
  All,
  /// Sums and products: bits below the lowest undefined one are defined.
  Sum,
  /// Two halves, each of which depends on the halves of the sources.
  Halves,
  /// Two halves: the upper one is made of slots[1], the lower one of slots[2].
  Join,
  /// The first `detail` sources are moved, by what the others say.
  Move,
  /// Each bit depends on some bits of the sources: and, or, lop3, ….
  Bits,
  /// setp; `detail` is made of CompareDetail.
  Compare,
  /// Sums with a flag: `detail` 1 reads it, 2 writes it.
  Carry,
  /// The results are defined.
  Defined,
  /// The handler tells the check itself.
  Handler,
};

/// Of TransferRule::Compare.
enum CompareDetail : uint8_t {
  compareEqual = 0, ///< eq and ne.
  compareLess = 1,  ///< lt and le, and gt and ge with sides exchanged.
  compareAny = 2,   ///< All lanes with undefined bits are undefined.
  compareHalves = 3,
  compareKind = 3,
  compareOrEqual = 4,
  compareSwapped = 8, ///< gt and ge.
  compareSigned = 16,
  combineAnd = 32,
  combineOr = 64, ///< Both: xor.
  /// There is no slot for a second result.
  compareSingle = 128,
};

/// Which sources must be defined, whatever becomes of the results.
enum class MustBeDefined : uint8_t {
  None,
  Addresses,
  All,
  First, ///< The index of brx, the address of a call.
  Last,  ///< The member mask of a collective.
  Wide,  ///< Addresses, descriptors and predicates, of wgmma.
};

struct OpTransfer {
  TransferRule rule = TransferRule::All;
  uint8_t detail = 0;
  MustBeDefined mustBeDefined = MustBeDefined::Addresses;
};

/// Says how undefined bits pass through a matched instruction.
OpTransfer transferOf(const isa::Match &match);

/// The same for an op that the decoder adds.
OpTransfer transferOf(isa::Transfer transfer);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_TRANSFERRULES_H
