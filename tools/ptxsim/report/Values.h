// Values of a report, which may hold anything, and how they are printed.

#ifndef TCC_TOOLS_PTXSIM_REPORT_VALUES_H
#define TCC_TOOLS_PTXSIM_REPORT_VALUES_H

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace ptxreport {

using Json = nlohmann::ordered_json;

/// Returns a member, or null if there is none.
const Json &member(const Json &object, const char *name);

/// Returns a counter, 0 if there is none: `numberOf(line, "issued")`,
/// `numberOf(line, "l2", "hitSectors")`.
uint64_t numberOf(const Json &object, const char *name);
uint64_t numberOf(const Json &object, const char *group, const char *name);

/// Returns a string, empty if there is none.
std::string textOf(const Json &object, const char *name);

/// "1.50 k", "2.00 G": three digits and a power of 1000; whole below 1000.
std::string shortNumber(uint64_t value);
/// "512 B", "1.50 kB".
std::string shortBytes(uint64_t bytes);
/// "93.8 %" of a part; "-" of nothing.
std::string percent(uint64_t part, uint64_t whole);
/// "4.00"; "-" if nothing is divided by.
std::string ratio(uint64_t value, uint64_t by);

constexpr uint64_t sectorBytes = 32;

/// Bytes between multiprocessors and L2, and between L2 and HBM.
uint64_t l2Bytes(const Json &counts);
uint64_t hbmBytes(const Json &counts);
/// Wavefronts of shared memory, and those beyond the ideal.
uint64_t wavefronts(const Json &counts);
uint64_t conflicts(const Json &counts);
/// Sectors of requests beyond the ideal.
uint64_t excessSectors(const Json &counts);

} // namespace ptxreport

#endif // TCC_TOOLS_PTXSIM_REPORT_VALUES_H
