// The names that every module knows: special registers and WARP_SZ.
//
// Source: PTX ISA 9.0, chapter 10 and section 4.5.1 (WARP_SZ).

#include "tools/ptxsim/ptx/Diagnostics.h"
#include "tools/ptxsim/ptx/Symbols.h"

#include <algorithm>
#include <charconv>

using namespace ptxsim::ptx;

namespace {
struct NamedRegister {
  std::string_view name;
  SpecialRegister special;
  bool isVector = false;
};

/// `%envreg0` to `%envreg31` and the like.
struct NumberedRegisters {
  std::string_view prefix, suffix;
  SpecialRegister special;
  unsigned count;
};
} // namespace

static constexpr NamedRegister namedRegisters[] = {
    {"%tid", SpecialRegister::Tid, true},
    {"%ntid", SpecialRegister::NTid, true},
    {"%laneid", SpecialRegister::LaneId},
    {"%warpid", SpecialRegister::WarpId},
    {"%nwarpid", SpecialRegister::NWarpId},
    {"%ctaid", SpecialRegister::CtaId, true},
    {"%nctaid", SpecialRegister::NCtaId, true},
    {"%smid", SpecialRegister::SmId},
    {"%nsmid", SpecialRegister::NSmId},
    {"%gridid", SpecialRegister::GridId},
    {"%is_explicit_cluster", SpecialRegister::IsExplicitCluster},
    {"%clusterid", SpecialRegister::ClusterId, true},
    {"%nclusterid", SpecialRegister::NClusterId, true},
    {"%cluster_ctaid", SpecialRegister::ClusterCtaId, true},
    {"%cluster_nctaid", SpecialRegister::ClusterNCtaId, true},
    {"%cluster_ctarank", SpecialRegister::ClusterCtaRank},
    {"%cluster_nctarank", SpecialRegister::ClusterNCtaRank},
    {"%lanemask_eq", SpecialRegister::LaneMaskEq},
    {"%lanemask_le", SpecialRegister::LaneMaskLe},
    {"%lanemask_lt", SpecialRegister::LaneMaskLt},
    {"%lanemask_ge", SpecialRegister::LaneMaskGe},
    {"%lanemask_gt", SpecialRegister::LaneMaskGt},
    {"%clock", SpecialRegister::Clock},
    {"%clock_hi", SpecialRegister::ClockHi},
    {"%clock64", SpecialRegister::Clock64},
    {"%globaltimer", SpecialRegister::GlobalTimer},
    {"%globaltimer_lo", SpecialRegister::GlobalTimerLo},
    {"%globaltimer_hi", SpecialRegister::GlobalTimerHi},
    {"%dynamic_smem_size", SpecialRegister::DynamicSmemSize},
    {"%total_smem_size", SpecialRegister::TotalSmemSize},
    {"%aggr_smem_size", SpecialRegister::AggrSmemSize},
    {"%reserved_smem_offset_begin", SpecialRegister::ReservedSmemOffsetBegin},
    {"%reserved_smem_offset_end", SpecialRegister::ReservedSmemOffsetEnd},
    {"%reserved_smem_offset_cap", SpecialRegister::ReservedSmemOffsetCap},
    {"%current_graph_exec", SpecialRegister::CurrentGraphExec},
};

static constexpr NumberedRegisters numberedRegisters[] = {
    {"%envreg", "", SpecialRegister::EnvReg, 32},
    {"%pm", "", SpecialRegister::Pm, 8},
    {"%pm", "_64", SpecialRegister::Pm64, 8},
    {"%reserved_smem_offset_", "", SpecialRegister::ReservedSmemOffset, 2},
};

/// Returns the number between prefix and suffix, or the count if `name` is not
/// one of them.
static unsigned numberIn(std::string_view name,
                         const NumberedRegisters &registers) {
  size_t around = registers.prefix.size() + registers.suffix.size();
  if (name.size() <= around ||
      name.substr(0, registers.prefix.size()) != registers.prefix ||
      name.substr(name.size() - registers.suffix.size()) != registers.suffix)
    return registers.count;
  name = name.substr(registers.prefix.size(), name.size() - around);
  unsigned number = 0;
  auto [stop, error] =
      std::from_chars(name.data(), name.data() + name.size(), number);
  bool isNumber = error == std::errc() && stop == name.data() + name.size() &&
                  (name.size() == 1 || name[0] != '0');
  return isNumber ? std::min(number, registers.count) : registers.count;
}

bool ptxsim::ptx::findBuiltInName(std::string_view name, Binding &result) {
  if (name == "WARP_SZ") {
    result.kind = Binding::Kind::WarpSize;
    return true;
  }
  if (name.empty() || name[0] != '%')
    return false;
  result.kind = Binding::Kind::Special;
  for (const NamedRegister &entry : namedRegisters)
    if (entry.name == name) {
      result.special = entry.special;
      result.width = entry.isVector ? 4 : 0;
      return true;
    }
  for (const NumberedRegisters &entry : numberedRegisters) {
    unsigned number = numberIn(name, entry);
    if (number == entry.count)
      continue;
    result.special = entry.special;
    result.component = uint8_t(number);
    return true;
  }
  return false;
}

void ptxsim::ptx::suggestBuiltInNames(NearestName &nearest) {
  for (const NamedRegister &entry : namedRegisters)
    nearest.consider(entry.name);
  nearest.consider("WARP_SZ");
}
