// Loads and stores.
//
// Cache operators, eviction priorities and prefetch sizes change no value; they
// are accepted and only the counters could care.
//
// Source: PTX ISA 9.0, sections 9.7.9.8 (ld), 9.7.9.9 (ld.global.nc), 9.7.9.11
// (st).

#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

#include <cstring>

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::Space;

namespace {
struct Wide {
  uint64_t low, high;
};
} // namespace

// Op::modifiers of loads and stores.
static constexpr uint32_t spaceBits = 15;
static constexpr uint32_t isStrong = 16;   ///< Others may access at once.
static constexpr uint32_t isNonCoherent = 32;
static constexpr uint32_t isAcquire = 64;
static constexpr uint32_t isRelease = 128;
static constexpr uint32_t scopeShift = 8;

static Access accessOf(const Op &op, LaneMask mask, AccessKind kind,
                       uint32_t elementBytes) {
  Access access;
  access.space = Space(op.modifiers & spaceBits);
  access.kind = kind;
  access.bytes = elementBytes * op.count;
  access.alignment = access.bytes;
  access.strong = op.modifiers & isStrong;
  access.acquires = op.modifiers & isAcquire;
  access.releases = op.modifiers & isRelease;
  access.scope = uint8_t(op.modifiers >> scopeShift);
  access.nonCoherent = op.modifiers & isNonCoherent;
  access.mask = mask;
  return access;
}

/// slots: op.count destinations, then the base of the address.
template <typename T>
static Next load(Warp &warp, const Op &op, LaneMask mask) {
  Access access = accessOf(op, mask, AccessKind::Read, sizeof(T));
  if (!resolve(warp, op, op.slots[op.count], access))
    return Next::Stop;
  if (op.modifiers & isStrong) {
    notePoll(warp, op, access);
    warp.now.turns += 16;
  }
  if (warp.worker->observes && !observeLoad(warp, op, access))
    return Next::Stop;
  if (access.contiguous && op.count == 1) {
    std::memcpy(warp.at<T>(op.slots[0]), access.pointers[0], 32 * sizeof(T));
    return Next::Advance;
  }
  for (unsigned element = 0; element < op.count; ++element) {
    alignas(64) T values[32];
    for (int lane = 0; lane < 32; ++lane)
      std::memcpy(&values[lane], access.pointers[lane] + element * sizeof(T),
                  sizeof(T));
    T *target = warp.at<T>(op.slots[element]);
    if constexpr (sizeof(T) <= sizeof(uint64_t))
      writeLanes(target, values, mask);
    else
      forLanes(mask, [&](int lane) { target[lane] = values[lane]; });
  }
  return Next::Advance;
}

/// The parameter of a kernel at an address that all lanes share.
template <typename T>
static Next loadParameter(Warp &warp, const Op &op, LaneMask mask) {
  Slot base = op.slots[op.count];
  if (base >= 0 || op.flags & opFrameLocal)
    return load<T>(warp, op, mask);
  const std::vector<uint8_t> &bytes =
      warp.block->cluster->grid->launch.parameters;
  uint64_t address = *warp.at<uint64_t>(base) + op.immediate;
  if (address % (sizeof(T) * op.count) != 0 ||
      address + sizeof(T) * op.count > bytes.size())
    return load<T>(warp, op, mask);
  for (unsigned element = 0; element < op.count; ++element) {
    T value;
    std::memcpy(&value, bytes.data() + address + element * sizeof(T), sizeof(T));
    T *target = warp.at<T>(op.slots[element]);
    if (mask == ~LaneMask(0))
      for (int lane = 0; lane < 32; ++lane)
        target[lane] = value;
    else
      forLanes(mask, [&](int lane) { target[lane] = value; });
  }
  return Next::Advance;
}

/// slots: the base of the address, then op.count sources.
template <typename T>
static Next store(Warp &warp, const Op &op, LaneMask mask) {
  Access access = accessOf(op, mask, AccessKind::Write, sizeof(T));
  if (!resolve(warp, op, op.slots[0], access))
    return Next::Stop;
  ++warp.block->cluster->changes;
  if (warp.worker->observes && !observeStore(warp, op, access, op.slots + 1))
    return Next::Stop;
  if (access.contiguous && op.count == 1) {
    std::memcpy(access.pointers[0], warp.at<T>(op.slots[1]), 32 * sizeof(T));
    return Next::Advance;
  }
  for (unsigned element = 0; element < op.count; ++element) {
    const T *source = warp.at<T>(op.slots[1 + element]);
    forLanes(mask, [&](int lane) {
      std::memcpy(access.pointers[lane] + element * sizeof(T), &source[lane],
                  sizeof(T));
    });
  }
  return Next::Advance;
}

static void noteModifiers(const Match &match, Op &op) {
  op.modifiers = uint32_t(match.space);
  for (std::string_view word : {"volatile", "relaxed", "acquire", "release", "mmio"})
    if (match.has(word))
      op.modifiers |= isStrong;
  if (match.has("nc"))
    op.modifiers |= isNonCoherent;
  if (match.has("acquire"))
    op.modifiers |= isAcquire;
  if (match.has("release"))
    op.modifiers |= isRelease;
  uint32_t scope = match.has("cta")       ? 0
                   : match.has("cluster") ? 1
                   : match.has("gpu")     ? 2
                                          : 3;
  op.modifiers |= scope << scopeShift;
}

template <template <typename> class Chosen>
static Handler ofBytes(unsigned bytes) {
  switch (bytes) {
  case 1:
    return Chosen<uint8_t>::handler;
  case 2:
    return Chosen<uint16_t>::handler;
  case 4:
    return Chosen<uint32_t>::handler;
  case 8:
    return Chosen<uint64_t>::handler;
  case 16:
    return Chosen<Wide>::handler;
  }
  return nullptr;
}

template <typename T> struct Load {
  static constexpr Handler handler = load<T>;
};
template <typename T> struct LoadParameter {
  static constexpr Handler handler = loadParameter<T>;
};
template <typename T> struct Store {
  static constexpr Handler handler = store<T>;
};

/// Says what is wrong with the words of a load or store, or nothing.
static std::string checkWords(const Match &match) {
  static constexpr std::initializer_list<std::string_view> evictions = {
      "L1::evict_normal", "L1::evict_unchanged", "L1::evict_first",
      "L1::evict_last", "L1::no_allocate"};
  bool isGlobal =
      match.space == Space::Global || match.space == Space::Generic;
  std::string_view cache =
      match.first({"ca", "cg", "cs", "lu", "cv", "wb", "wt"});
  std::string_view eviction = match.first(evictions);
  if (ptx::bytesOf(match.type()) * match.vectorSize > 16)
    return "at most 16 bytes";
  if (std::string message = checkOrderAndScope(match); !message.empty())
    return message;
  if (match.first({"volatile", "relaxed", "acquire", "release"}) != "" &&
      !isGlobal && match.space != Space::Shared &&
      match.space != Space::SharedCluster)
    return "global or shared memory beside volatile, relaxed, acquire or release";
  if (match.has("mmio") && (!match.has("relaxed") || !match.has("sys")))
    return ".relaxed.sys beside .mmio";
  if (match.has("nc") && match.space != Space::Global)
    return ".global beside .nc";
  if (match.has("nc") && match.first({"volatile", "relaxed", "acquire"}) != "")
    return "either .nc or an order";
  if (!isGlobal && !eviction.empty())
    return "global memory beside ." + std::string(eviction);
  if (!cache.empty() && !eviction.empty())
    return "either ." + std::string(cache) + " or ." + std::string(eviction);
  if (!isGlobal && match.first({"L2::64B", "L2::128B", "L2::256B"}) != "")
    return "global memory beside a prefetch size";
  if (!isGlobal && match.has("L2::cache_hint"))
    return "global memory beside .L2::cache_hint";
  return "";
}

static Handler selectLoad(const Match &match, Op &op) {
  noteModifiers(match, op);
  if (std::string message = checkWords(match); !message.empty())
    return match.refuse(std::move(message));
  unsigned bytes = ptx::bytesOf(match.type());
  return match.space == Space::Parameter ? ofBytes<LoadParameter>(bytes)
                                         : ofBytes<Load>(bytes);
}

static Handler selectStore(const Match &match, Op &op) {
  noteModifiers(match, op);
  if (std::string message = checkWords(match); !message.empty())
    return match.refuse(std::move(message));
  return ofBytes<Store>(ptx::bytesOf(match.type()));
}

static Next prefetch(Warp &, const Op &, LaneMask) { return Next::Advance; }
static Handler selectPrefetch(const Match &, Op &) { return prefetch; }

/// discard and applypriority, which name the bytes of a cache line.
static Handler selectLine(const Match &match, Op &) {
  return match.operand(1).bits == 128 ? prefetch : match.refuse("128 bytes");
}

#define PTXSIM_STRONG "?.(cta|cluster|gpu|sys)"
#define PTXSIM_LOAD_SPACES                                                     \
  "?.(global|shared|shared::cta|shared::cluster|local|const|param|"            \
  "param::entry|param::func)"
#define PTXSIM_STORE_SPACES                                                    \
  "?.(global|shared|shared::cta|shared::cluster|local|param|param::func)"
#define PTXSIM_EVICTIONS                                                       \
  "?.(L1::evict_normal|L1::evict_unchanged|L1::evict_first|L1::evict_last|"    \
  "L1::no_allocate)"
#define PTXSIM_PREFETCH "?.(L2::64B|L2::128B|L2::256B)"
#define PTXSIM_TYPES                                                           \
  "?.(v2|v4).(b8|b16|b32|b64|b128|u8|u16|u32|u64|s8|s16|s32|s64|f32|f64)"
#define PTXSIM_LOAD                                                            \
  "ld ?.(weak|volatile|relaxed|acquire)" PTXSIM_STRONG PTXSIM_LOAD_SPACES      \
  "?.(ca|cg|cs|lu|cv)?.nc" PTXSIM_EVICTIONS PTXSIM_PREFETCH
#define PTXSIM_STORE                                                           \
  "st ?.(weak|volatile|relaxed|release)" PTXSIM_STRONG PTXSIM_STORE_SPACES     \
  "?.(wb|cg|cs|wt)" PTXSIM_EVICTIONS

static constexpr Transfer own = Transfer::Own;

static const Form forms[] = {
    {PTXSIM_LOAD PTXSIM_TYPES, "=*T~ [a]", selectLoad, OpClass::Load, 0, own},
    {PTXSIM_LOAD ".L2::cache_hint" PTXSIM_TYPES, "=*T~ [a] u64", selectLoad,
     OpClass::Load, 0, own},
    {"ld .mmio.relaxed.sys?.global" PTXSIM_TYPES, "=*T~ [a]", selectLoad,
     OpClass::Load, 0, own},
    {"ldu ?.global" PTXSIM_TYPES, "=*T~ [a]", selectLoad, OpClass::Load, 0, own},
    {PTXSIM_STORE PTXSIM_TYPES, "[a] *T~", selectStore, OpClass::Store, 0, own},
    {PTXSIM_STORE ".L2::cache_hint" PTXSIM_TYPES, "[a] *T~ u64", selectStore,
     OpClass::Store, 0, own},
    {"st .mmio.relaxed.sys?.global" PTXSIM_TYPES, "[a] *T~", selectStore,
     OpClass::Store, 0, own},
    {"prefetch ?.(global|local).(L1|L2)", "[a]", selectPrefetch, OpClass::Other},
    {"prefetch ?.global.(L2::evict_last|L2::evict_normal)", "[a]", selectPrefetch,
     OpClass::Other},
    {"prefetchu.L1", "[a]", selectPrefetch, OpClass::Other},
    {"prefetch ?.(const|param).tensormap", "[a]", selectPrefetch, OpClass::Other},
    {"discard ?.global.L2", "[a] #", selectLine, OpClass::Other},
    {"applypriority ?.global.L2::evict_normal", "[a] #", selectLine,
     OpClass::Other},
};

Family isa::memoryFamily() { return {forms, std::size(forms)}; }
