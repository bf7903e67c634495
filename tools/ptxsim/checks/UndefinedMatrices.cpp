// Undefined elements of matrices.
//
// Which elements of D depend on which of A and B is asked of the product itself:
// it is executed on matrices that hold NaN where an element is undefined and 0
// elsewhere, and an element of D is undefined where NaN comes out. Integers have
// no NaN: there A holds 1 for undefined elements and B 1 everywhere, and the
// reverse, and an element of D is undefined where the sum is not 0.

#include "tools/ptxsim/checks/UndefinedMatrices.h"

#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/machine/WrittenBits.h"
#include "tools/ptxsim/tensor/Fragment.h"

#include <algorithm>

using namespace ptxsim;

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

namespace {
/// The bytes of the eight rows of one matrix.
struct MatrixRows {
  uint8_t bytes[8][16] = {};
  uint8_t *rows[8];

  MatrixRows() {
    for (int row = 0; row < 8; ++row)
      rows[row] = bytes[row];
  }
};
} // namespace

static UndefinedOrigin originAt(const Warp &warp, const Op &op,
                                const Access &access,
                                const ShadowRegion &region, int lane) {
  UndefinedOrigin origin;
  origin.kind = UndefinedOrigin::Kind::Memory;
  origin.space = region.space;
  origin.code = warp.now.code;
  origin.op = &op;
  origin.address = access.addresses[lane];
  return origin;
}

static void spread(uint32_t mask, uint8_t *bytes, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i)
    bytes[i] = mask >> i & 1 ? 0xff : 0;
}

void ptxsim::loadMatrixUndefined(Warp &warp, const Op &op, const Access &access,
                                 unsigned count, bool transposed) {
  for (unsigned i = 0; i < count; ++i) {
    MatrixRows bits, computed;
    UndefinedOrigin origin;
    for (int row = 0; row < 8; ++row) {
      int lane = int(8 * i) + row;
      const uint8_t *pointer = access.pointers[lane];
      ShadowRegion region = regionOf(*warp.block, &warp, pointer);
      if (region.written == nullptr ||
          areBitsSet(region.written, region.index(pointer), 16))
        continue;
      spread(~bitsAt(region.written, region.index(pointer), 16),
             bits.bytes[row], 16);
      spread(region.computed == nullptr
                 ? 0
                 : bitsAt(region.computed, region.index(pointer), 16),
             computed.bytes[row], 16);
      if (origin.op == nullptr)
        origin = originAt(warp, op, access, region, lane);
    }
    if (origin.op == nullptr) {
      setDefined(warp, op.slots[i], 4, ~LaneMask(0));
      continue;
    }
    LaneBytes plane, computedPlane;
    loadMatrix(bits.rows, transposed, plane.as<uint32_t>());
    loadMatrix(computed.rows, transposed, computedPlane.as<uint32_t>());
    writeShadow(warp, op.slots[i], 4, ~LaneMask(0), plane, &computedPlane, origin);
  }
}

void ptxsim::storeMatrixUndefined(Warp &warp, const Op &op, const Access &access,
                                  unsigned count, bool transposed) {
  for (unsigned i = 0; i < count; ++i) {
    MatrixRows bits, computed;
    Slot slot = op.slots[1 + i];
    if (mayBeUndefined(warp, slot, 4)) {
      LaneBytes plane;
      readShadow(warp, slot, 4, plane);
      storeMatrix(plane.as<uint32_t>(), transposed, bits.rows);
      readComputed(warp, slot, 4, plane);
      storeMatrix(plane.as<uint32_t>(), transposed, computed.rows);
    }
    for (int row = 0; row < 8; ++row) {
      const uint8_t *pointer = access.pointers[8 * i + unsigned(row)];
      ShadowRegion region = regionOf(*warp.block, &warp, pointer);
      uint32_t undefined = 0, isComputed = 0;
      for (int b = 0; b < 16; ++b) {
        undefined |= uint32_t(bits.bytes[row][b] == 0xff) << b;
        isComputed |= uint32_t(computed.bytes[row][b] != 0) << b;
      }
      if (region.written != nullptr)
        putBits(region.written, region.index(pointer), 16, ~undefined & 0xffff);
      if (region.computed != nullptr)
        putBits(region.computed, region.index(pointer), 16,
                isComputed & undefined);
    }
  }
}

void ptxsim::loadElementsUndefined(Warp &warp, const Op &op, const Access &access,
                                   Slot slot, unsigned registerBytes,
                                   unsigned offset) {
  LaneBytes bits, computed;
  readShadow(warp, slot, registerBytes, bits);
  readComputed(warp, slot, registerBytes, computed);
  UndefinedOrigin origin;
  for (int lane = 0; lane < 32; ++lane) {
    const uint8_t *pointer = access.pointers[lane];
    ShadowRegion region = regionOf(*warp.block, &warp, pointer);
    uint64_t index = region.index(pointer);
    uint32_t undefined = region.written == nullptr
                             ? 0
                             : ~bitsAt(region.written, index, access.bytes);
    size_t at = size_t(lane) * registerBytes + offset;
    spread(undefined, bits.bytes + at, access.bytes);
    spread(region.computed == nullptr
               ? 0
               : bitsAt(region.computed, index, access.bytes),
           computed.bytes + at, access.bytes);
    if (bits.bytes[at] != 0 && origin.op == nullptr)
      origin = originAt(warp, op, access, region, lane);
  }
  if (origin.op == nullptr)
    origin = originOf(warp, slot); // Of what other parts have loaded.
  if (origin.op != nullptr || mayBeUndefined(warp, slot, registerBytes))
    writeShadow(warp, slot, registerBytes, ~LaneMask(0), bits, &computed, origin);
}

bool ptxsim::storeElementsUndefined(Warp &warp, const Op &op,
                                    const Access &access, Slot slot,
                                    unsigned registerBytes, unsigned offset) {
  LaneBytes bits, computed;
  readShadow(warp, slot, registerBytes, bits);
  readComputed(warp, slot, registerBytes, computed);
  for (int lane = 0; lane < 32; ++lane) {
    const uint8_t *pointer = access.pointers[lane];
    ShadowRegion region = regionOf(*warp.block, &warp, pointer);
    size_t at = size_t(lane) * registerBytes + offset;
    uint32_t undefined = 0, isComputed = 0;
    for (uint32_t b = 0; b < access.bytes; ++b) {
      undefined |= uint32_t(bits.bytes[at + b] == 0xff) << b;
      isComputed |= uint32_t(computed.bytes[at + b] != 0) << b;
    }
    uint32_t all = (1u << access.bytes) - 1;
    if (region.space == ptx::Space::Global && (undefined & isComputed) == all) {
      UndefinedUse use;
      use.what = "the element that is stored to global memory";
      use.origin = originOf(warp, slot);
      return reportUndefined(warp, op, lane, use);
    }
    if (region.written == nullptr)
      continue;
    if (undefined != 0 && !keepsUndefined(*warp.block, region, pointer))
      undefined = 0;
    putBits(region.written, region.index(pointer), access.bytes,
            ~undefined & all);
    if (region.computed != nullptr)
      putBits(region.computed, region.index(pointer), access.bytes,
              isComputed & undefined);
  }
  return true;
}

void ptxsim::moveMatrixUndefined(Warp &warp, Slot to, Slot from) {
  if (!mayBeUndefined(warp, from, 4))
    return setDefined(warp, to, 4, ~LaneMask(0));
  LaneBytes bits, computed;
  UndefinedOrigin origin = originOf(warp, from);
  readShadow(warp, from, 4, bits);
  readComputed(warp, from, 4, computed);
  transposeMatrix(bits.as<uint32_t>(), bits.as<uint32_t>());
  transposeMatrix(computed.as<uint32_t>(), computed.as<uint32_t>());
  writeShadow(warp, to, 4, ~LaneMask(0), bits, &computed, origin);
}

//===----------------------------------------------------------------------===//
// Products of a warp
//===----------------------------------------------------------------------===//

/// Makes each element of a plane with a bit in `bits` equal to `marked`, and each
/// other one 0. Elements of a byte or less are taken as bytes.
static void markElements(const LaneBytes &bits, uint32_t bytes,
                         unsigned elementBytes, uint8_t marked,
                         LaneBytes &result) {
  for (uint32_t at = 0; at < 32 * bytes; at += elementBytes) {
    bool any = false;
    for (unsigned b = 0; b < elementBytes; ++b)
      any |= bits.bytes[at + b] != 0;
    std::memset(result.bytes + at, any ? marked : 0, elementBytes);
  }
}

/// True if the element that begins at `bytes` is a NaN, or not 0 as an integer.
static bool isMarked(const uint8_t *bytes, unsigned size, bool isFloat) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, size);
  if (!isFloat)
    return value != 0;
  switch (size) {
  case 2:
    return (value & 0x7fff) > 0x7c00;
  case 4:
    return (value & 0x7fffffff) > 0x7f800000;
  }
  return (value & 0x7fffffffffffffff) > 0x7ff0000000000000;
}

namespace {
/// Finds the undefined elements of D of one product.
class ProductMarks {
public:
  ProductMarks(Warp &warp, const MmaForm &form, const Slot *slots,
               const MmaOperands &operands)
      : warp(warp), form(form), slots(slots), operands(operands),
        planes(planesOf(form)), isFloat(form.d != MmaType::S32) {}

  void run();

private:
  struct Group {
    unsigned first, count; ///< Of `slots`.
    MmaType type;
  };
  uint32_t registerBytes(MmaType type) const {
    return type == MmaType::F64 ? 8 : 4;
  }
  bool anyUndefined(const Group &group, UndefinedOrigin &origin) const;
  /// Fills the planes of an operand with marks, or with ones everywhere.
  void fill(const Group &group, LaneBytes *target, bool ones) const;
  void multiplyMarks(const Group &a, bool aOnes, const Group &b, bool bOnes,
                     const Group &c, std::vector<LaneBytes> &d) const;

  Warp &warp;
  MmaForm form;
  const Slot *slots;
  const MmaOperands &operands;
  MmaPlanes planes;
  bool isFloat;
};
} // namespace

bool ProductMarks::anyUndefined(const Group &group,
                                UndefinedOrigin &origin) const {
  for (unsigned i = 0; i < group.count; ++i) {
    Slot slot = slots[group.first + i];
    if (undefinedLanes(warp, slot, registerBytes(group.type)) == 0)
      continue;
    origin = originOf(warp, slot);
    return true;
  }
  return false;
}

void ProductMarks::fill(const Group &group, LaneBytes *target,
                        bool ones) const {
  unsigned elementBytes = std::max(elementBits(group.type) / 8, 1u);
  bool isInteger = group.type >= MmaType::S32;
  // 0x11 is 1 in both halves of a byte, and not 0 in any other type.
  uint8_t mark = isInteger ? 0x11 : 0xff;
  uint32_t bytes = registerBytes(group.type);
  for (unsigned i = 0; i < group.count; ++i) {
    LaneBytes bits;
    readShadow(warp, slots[group.first + i], bytes, bits);
    if (ones)
      std::memset(bits.bytes, 0xff, sizeof(bits.bytes));
    markElements(bits, bytes, elementBytes, mark, target[i]);
  }
}

void ProductMarks::multiplyMarks(const Group &a, bool aOnes, const Group &b,
                                 bool bOnes, const Group &c,
                                 std::vector<LaneBytes> &d) const {
  std::vector<LaneBytes> sources(a.count + b.count + c.count);
  fill(a, sources.data(), aOnes);
  fill(b, sources.data() + a.count, bOnes);
  fill(c, sources.data() + a.count + b.count, false);
  std::vector<void *> pointers;
  for (LaneBytes &plane : d)
    pointers.push_back(plane.bytes);
  for (LaneBytes &plane : sources)
    pointers.push_back(plane.bytes);
  MmaOperands marks = operands;
  marks.d = pointers.data();
  marks.a = marks.d + d.size();
  marks.b = marks.a + a.count;
  marks.c = marks.b + b.count;
  MmaForm plain = form;
  plain.isAnd = true;
  plain.saturates = false;
  multiply(plain, marks);
}

void ProductMarks::run() {
  Group d{0, planes.d, form.d}, a{d.count, planes.a, form.a};
  Group b{a.first + a.count, planes.b, form.b};
  Group c{b.first + b.count, planes.c, form.c};
  UndefinedOrigin origin;
  uint32_t bytes = registerBytes(form.d);
  bool any = anyUndefined(c, origin);
  any |= anyUndefined(b, origin);
  any |= anyUndefined(a, origin);
  if (!any) {
    for (unsigned i = 0; i < d.count; ++i)
      setDefined(warp, slots[i], bytes, ~LaneMask(0));
    return;
  }
  std::vector<LaneBytes> first(d.count), second(d.count);
  multiplyMarks(a, false, b, !isFloat, c, first);
  if (!isFloat)
    multiplyMarks(a, true, b, false, c, second);
  unsigned elementBytes = elementBits(form.d) / 8;
  for (unsigned i = 0; i < d.count; ++i) {
    LaneBytes bits;
    for (uint32_t at = 0; at < 32 * bytes; at += elementBytes)
      if (isMarked(first[i].bytes + at, elementBytes, isFloat) ||
          (!isFloat && isMarked(second[i].bytes + at, elementBytes, false)))
        std::memset(bits.bytes + at, 0xff, elementBytes);
    writeShadow(warp, slots[i], bytes, ~LaneMask(0), bits, &bits, origin);
  }
}

void ptxsim::multiplyUndefined(Warp &warp, const Op &op, const MmaForm &form,
                               const MmaOperands &operands) {
  if (!warp.checks->isClean())
    ProductMarks(warp, form, warp.slotsOf(op), operands).run();
}
