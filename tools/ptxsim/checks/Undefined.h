// Reads of memory and registers that nothing wrote.
//
// Undefined bits are carried along, as in Valgrind's memcheck, and reported where
// they matter: in the condition of a branch or of an instruction with effects, in
// an address, in an operand of a barrier or of an asynchronous copy, in an atomic,
// and where a value that was computed from them is stored to global memory. Copying
// them, or computing something that is thrown away, is silent.
//
// Of memory it is known for each byte whether it was written. A byte of which some
// bits are defined counts as defined: bit-fields are written so. Memory of the
// host, managed memory and the variables of modules are always defined.
//
// The functions below are the hooks. Those that take a warp are called only if its
// `checks` are not null, those that take a block do nothing if it is not checked.
// Matrix instructions: an element of D is undefined if its element of C is, or one
// of its row of A, or one of its column of B. The handler of mma, ldmatrix or
// wgmma finds undefined operands by `undefinedLanes` (RegisterShadow.h), and marks
// results by `setUndefined` after it has written them; unless it does, they count
// as defined.
//
// Source: Seward and Nethercote, "Using Valgrind to detect undefined value errors
// with bit-precision", USENIX 2005.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_UNDEFINED_H
#define TCC_TOOLS_PTXSIM_CHECKS_UNDEFINED_H

#include "tools/ptxsim/checks/RegisterShadow.h"
#include "tools/ptxsim/core/Access.h"

namespace ptxsim {

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

/// Begins the checks of a warp that begins its kernel.
void beginUndefined(Warp &warp);

/// Marks what is undefined when `lanes` enter a function whose registers and
/// local memory begin at `frame` and `local`, before arguments are passed.
void enterUndefined(Warp &warp, const Code &code, uint32_t frame, uint32_t local,
                    LaneMask lanes);

/// Marks local memory that a function gets as undefined: `bytes` from `first`.
void allocateUndefined(Warp &warp, uint32_t first, uint32_t bytes,
                       LaneMask lanes);

/// Checks the guard of an op for the lanes of the running group.
///
/// \returns false after noting a fault.
bool checkGuard(Warp &warp, const Op &op);

/// Checks the operands of an op that must be defined and carries undefined bits
/// to its results, before it is executed.
///
/// \returns false after noting a fault.
bool carryUndefined(Warp &warp, const Op &op, const OpInfo &info,
                    LaneMask mask);

/// A value that is passed between a caller and a function.
struct PassedPlace {
  bool inRegisters = false;
  bool isConstant = false;
  uint64_t offset = 0; ///< In the register file, or in a lane's local memory.
  uint32_t bytes = 0;
};
void passUndefined(Warp &warp, const PassedPlace &from, const PassedPlace &to,
                   LaneMask lanes);

/// What lanes bring to and take from each other: the undefined bits of a register
/// of up to 32 bits, or all if a wider one has any; and above them, whether they
/// are computed.
constexpr uint64_t broughtBits = 0xffffffff;
constexpr uint64_t broughtComputed = uint64_t(1) << 32;
/// Of a lane that does not take part.
constexpr uint64_t broughtNothing = uint64_t(1) << 33 | broughtBits;
uint64_t broughtUndefined(const Warp &warp, const Op &op, Slot slot, int lane);
void takeUndefined(Warp &warp, const Op &op, Slot slot, Slot source,
                   LaneMask lanes, const uint64_t *brought);

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// A range of host addresses that one bitmap describes.
struct ShadowRegion {
  const uint8_t *begin = nullptr;
  uint64_t bytes = 0;
  uint8_t *written = nullptr;  ///< Null if all of it is defined.
  uint8_t *computed = nullptr; ///< Null if that is not kept.
  ptx::Space space = ptx::Space::Global;

  bool contains(const uint8_t *pointer) const {
    return uint64_t(pointer - begin) < bytes;
  }
  uint64_t index(const uint8_t *pointer) const {
    return uint64_t(pointer - begin);
  }
};

/// Finds what is known of the memory at `pointer`, as a warp or asynchronous work
/// of a block sees it; `warp` may be null.
ShadowRegion regionOf(const Block &block, const Warp *warp,
                      const uint8_t *pointer);

/// True if memory of the region at `pointer` may become undefined again, which
/// what the host can write at any time may not.
bool keepsUndefined(const Block &block, const ShadowRegion &region,
                    const uint8_t *pointer);

/// Loads and stores whose addresses are resolved, before they happen.
void loadUndefined(Warp &warp, const Op &op, const Access &access);
bool storeUndefined(Warp &warp, const Op &op, const Access &access,
                    const Slot *sources);
bool atomicUndefined(Warp &warp, const Op &op, const Access &access);

/// Notes a write of defined bytes.
void defineMemory(const Block &block, const Warp *warp, const uint8_t *pointer,
                  uint64_t bytes);

/// Reports memory that nothing wrote and an op reads itself; `what` as in "the
/// argument of printf".
///
/// \returns false after noting a fault.
bool checkMemory(Warp &warp, const Op &op, int lane, const uint8_t *pointer,
                 uint64_t bytes, const std::string &what);

/// What counts as written of bytes on their way from one place to another.
class CarriedBytes {
public:
  /// Takes what is known of `bytes` bytes at `pointer`.
  void read(const Block &block, const uint8_t *pointer, uint64_t bytes);
  /// Takes a register of `bytes` bytes of one lane.
  void readRegister(const Warp &warp, Slot slot, uint32_t bytes, int lane);
  /// Says of `bytes` bytes at `pointer` what is known of those from `offset` on;
  /// bytes beyond what was read are defined.
  void write(const Block &block, uint8_t *pointer, uint64_t bytes,
             uint64_t offset = 0) const;
  /// The same for a reduction: what was undefined at `pointer` stays so.
  void reduce(const Block &block, uint8_t *pointer, uint64_t bytes,
              uint64_t offset = 0) const;
  bool isDefined() const { return written.empty(); }

private:
  void makeRoom(uint64_t bytes);

  std::vector<uint8_t> written, computed; ///< Bitmaps; empty if all is defined.
  uint64_t bytes = 0;
};

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

/// What an undefined value is used for, and where it comes from.
struct UndefinedUse {
  std::string what;  ///< "the address", …
  std::string where; ///< "'%rd4'", or empty.
  UndefinedOrigin origin;
};

/// Notes the fault of an undefined value.
///
/// \returns false.
bool reportUndefined(Warp &warp, const Op &op, int lane,
                     const UndefinedUse &use);

/// The use of a register, with its name in the text.
UndefinedUse useOf(const Warp &warp, const RegisterOperand &operand,
                   std::string what);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_UNDEFINED_H
