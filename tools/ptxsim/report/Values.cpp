// Reads and prints values of a report.

#include "tools/ptxsim/report/Values.h"

#include <cstdio>

namespace ptxreport {

const Json &member(const Json &object, const char *name) {
  static const Json none;
  if (!object.is_object())
    return none;
  auto found = object.find(name);
  return found == object.end() ? none : *found;
}

uint64_t numberOf(const Json &object, const char *name) {
  const Json &value = member(object, name);
  return value.is_number_unsigned() ? value.get<uint64_t>() : 0;
}

uint64_t numberOf(const Json &object, const char *group, const char *name) {
  return numberOf(member(object, group), name);
}

std::string textOf(const Json &object, const char *name) {
  const Json &value = member(object, name);
  return value.is_string() ? value.get<std::string>() : "";
}

static std::string format(const char *pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof(text), pattern, value);
  return text;
}

/// Three digits and the prefix of a unit.
static std::string scaled(uint64_t value, const char *unit) {
  if (value < 1000)
    return std::to_string(value) + (*unit ? " " : "") + unit;
  static const char *const prefixes[] = {"k", "M", "G", "T", "P", "E"};
  double number = static_cast<double>(value) / 1000;
  size_t prefix = 0;
  for (; number >= 999.5 && prefix + 1 < std::size(prefixes); ++prefix)
    number /= 1000;
  const char *pattern = number < 9.995   ? "%.2f "
                        : number < 99.95 ? "%.1f "
                                         : "%.0f ";
  return format(pattern, number) + prefixes[prefix] + unit;
}

std::string shortNumber(uint64_t value) { return scaled(value, ""); }
std::string shortBytes(uint64_t bytes) { return scaled(bytes, "B"); }

std::string percent(uint64_t part, uint64_t whole) {
  if (whole == 0)
    return "-";
  return format("%.1f %%", 100.0 * static_cast<double>(part) /
                               static_cast<double>(whole));
}

std::string ratio(uint64_t value, uint64_t by) {
  if (by == 0)
    return "-";
  return format("%.2f", static_cast<double>(value) / static_cast<double>(by));
}

uint64_t l2Bytes(const Json &counts) {
  return sectorBytes * (numberOf(counts, "l2", "readSectors") +
                        numberOf(counts, "l2", "writeSectors") +
                        numberOf(counts, "l2", "atomicSectors"));
}

uint64_t hbmBytes(const Json &counts) {
  return sectorBytes * (numberOf(counts, "hbm", "readSectors") +
                        numberOf(counts, "hbm", "writeSectors"));
}

static uint64_t sumOf(const Json &counts,
                      std::initializer_list<const char *> groups,
                      const char *name) {
  uint64_t sum = 0;
  for (const char *group : groups)
    sum += numberOf(counts, group, name);
  return sum;
}

/// What is more than the ideal.
static uint64_t above(uint64_t value, uint64_t ideal) {
  return value > ideal ? value - ideal : 0;
}

uint64_t wavefronts(const Json &counts) {
  return sumOf(counts, {"sharedLoad", "sharedStore", "sharedAtomic"},
               "wavefronts");
}

uint64_t conflicts(const Json &counts) {
  return above(wavefronts(counts),
               sumOf(counts, {"sharedLoad", "sharedStore", "sharedAtomic"},
                     "idealWavefronts"));
}

uint64_t excessSectors(const Json &counts) {
  std::initializer_list<const char *> groups = {"globalLoad", "globalStore",
                                                "globalAtomic"};
  return above(sumOf(counts, groups, "sectors"),
               sumOf(counts, groups, "idealSectors"));
}

} // namespace ptxreport
