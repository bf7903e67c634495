#include "compiler/target/x86/Target.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

static constexpr const char tripleName[] = "x86_64-unknown-linux-gnu";

static const llvm::Target *lookupTarget() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
  });
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(llvm::Triple(tripleName), error);
  assert(target && "LLVM is built with its X86 target");
  return target;
}

//===----------------------------------------------------------------------===//
// What CPUs are like
//===----------------------------------------------------------------------===//

namespace {
/// What LLVM does not know of a CPU and the cost model needs.
struct CpuModel {
  const char *name;
  /// Whether vdpbf16ps does more in a clock than multiply-adds of f32.
  bool dotIsFaster;
  int64_t cacheBytes;
};
} // namespace

// Rates of vdpbf16ps: one in a clock or two on AMD's cores and Cooper Lake; one
// in two clocks on Intel's cores with AMX, half of what two multiply-adds reach
// (measured on Emerald Rapids: 90 and 188 GFLOP/s a thread). Sizes: vendors'
// manuals of the cores.
static constexpr CpuModel cpuModels[] = {
    {"znver1", false, 1 << 19},
    {"znver2", false, 1 << 19},
    {"znver3", false, 1 << 19},
    {"cooperlake", true, 1 << 20},
    {"znver4", true, 1 << 20},
    {"znver5", true, 1 << 20},
    {"sapphirerapids", false, 2 << 20},
    {"emeraldrapids", false, 2 << 20},
    {"graniterapids", false, 2 << 20},
    {"graniterapids-d", false, 2 << 20},
    {"diamondrapids", false, 2 << 20},
    {"skylake-avx512", false, 1 << 20},
    {"cascadelake", false, 1 << 20},
    {"icelake-server", false, 5 << 18},
    {"x86-64-v4", false, 1 << 20},
};

// The smallest second cache of the cores that have AVX2.
static constexpr int64_t smallestCacheBytes = 1 << 18;

// The names in /proc/cpuinfo of what a level of x86-64 needs beyond the first.
static constexpr const char *levelThree[] = {"avx",  "avx2", "bmi1",
                                             "bmi2", "f16c", "fma",
                                             "abm",  "movbe"};
static constexpr const char *levelFour[] = {"avx512f", "avx512bw", "avx512cd",
                                            "avx512dq", "avx512vl"};

/// Whether LLVM's CPU `name` has all of `features`, in LLVM's spelling.
static bool hasFeatures(StringRef name, StringRef features) {
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      lookupTarget()->createMCSubtargetInfo(llvm::Triple(tripleName), name,
                                            ""));
  return info && info->checkFeatures(features);
}

static bool isKnownCpu(StringRef name) {
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      lookupTarget()->createMCSubtargetInfo(llvm::Triple(tripleName),
                                            "x86-64", ""));
  return info->isCPUStringValid(name);
}

//===----------------------------------------------------------------------===//
// Description
//===----------------------------------------------------------------------===//

namespace {
/// What a CPU can do, of what code here could use.
struct Abilities {
  bool levelThree = false;
  bool levelFour = false;
  bool dot = false;
  bool integerDot = false;
};
} // namespace

static Abilities abilitiesOf(StringRef cpu) {
  return {hasFeatures(cpu, "+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe"),
          hasFeatures(cpu, "+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"),
          hasFeatures(cpu, "+avx512bf16"), hasFeatures(cpu, "+avx512vnni")};
}

/// What this machine can do. A hypervisor may hide what its CPU has, so features
/// count and not the name.
static Abilities abilitiesOfHost() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  auto hasAll = [&](std::initializer_list<const char *> names) {
    return llvm::all_of(
        names, [&](const char *name) { return features.lookup(name); });
  };
  return {hasAll({"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}),
          hasAll({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
          hasAll({"avx512bf16"}), hasAll({"avx512vnni"})};
}

static TargetDescription describe(StringRef cpu, Abilities abilities) {
  TargetDescription target;
  target.cpu = cpu.str();
  target.level = abilities.levelFour ? "x86-64-v4" : "x86-64-v3";
  target.features.assign(std::begin(levelThree), std::end(levelThree));
  if (abilities.levelFour) {
    target.features.insert(target.features.end(), std::begin(levelFour),
                           std::end(levelFour));
    target.lanes = 16;
    target.registers = 32;
    target.hasDot = abilities.dot;
    target.hasIntegerDot = abilities.integerDot;
  }
  target.cacheBytes = smallestCacheBytes;
  for (const CpuModel &model : cpuModels)
    if (cpu == model.name) {
      target.dotIsFaster = target.hasDot && model.dotIsFaster;
      target.cacheBytes = model.cacheBytes;
    }
  return target;
}

FailureOr<TargetDescription> x86::describeTarget(StringRef march,
                                                 Location location) {
  lookupTarget();
  StringRef name = march;
  bool isEmulated = name.consume_front("emulated-");
  bool isNative = name == "native";
  std::string cpu = isNative ? llvm::sys::getHostCPUName().str() : name.str();
  if (!isKnownCpu(cpu))
    return emitError(location)
           << "--march: expected x86-64-v3, x86-64-v4, native or a CPU that "
              "LLVM knows, got '"
           << march << "'";
  Abilities abilities = isNative ? abilitiesOfHost() : abilitiesOf(cpu);
  if (!abilities.levelThree)
    return emitError(location)
           << "--march: expected a CPU with AVX2, FMA and F16C, got '" << march
           << "'" << (isNative ? " on a CPU without" : "");
  TargetDescription target = describe(cpu, abilities);
  if (isEmulated) {
    target.isEmulated = true;
    target.level = "x86-64-v3";
    target.hasIntegerDot = false;
    target.features.assign(std::begin(levelThree), std::end(levelThree));
    return target;
  }
  if (target.dotIsFaster)
    target.features.push_back("avx512_bf16");
  if (target.hasIntegerDot)
    target.features.push_back("avx512_vnni");
  return target;
}

std::unique_ptr<llvm::TargetMachine>
x86::createTargetMachine(const TargetDescription &target) {
  llvm::SubtargetFeatures features;
  if (target.dotIsFaster && !target.isEmulated)
    features.AddFeature("avx512bf16");
  if (target.hasIntegerDot)
    features.AddFeature("avx512vnni");
  return std::unique_ptr<llvm::TargetMachine>(
      lookupTarget()->createTargetMachine(
          llvm::Triple(tripleName), target.level, features.getString(),
          llvm::TargetOptions(), llvm::Reloc::PIC_, llvm::CodeModel::Small,
          llvm::CodeGenOptLevel::Aggressive));
}
