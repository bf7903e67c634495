// Renders a fault as the report that goes to stderr.

#include "tools/ptxsim/machine/Fault.h"

namespace ptxsim {

static std::string tuple(const std::array<uint32_t, 3> &values) {
  return "(" + std::to_string(values[0]) + ", " + std::to_string(values[1]) +
         ", " + std::to_string(values[2]) + ")";
}

/// Appends one line of the report; text that has several lines stays one line
/// each, so that every line begins with the same word.
static void addLine(std::string &report, const std::string &text) {
  size_t begin = 0;
  for (;;) {
    size_t end = text.find('\n', begin);
    report += "ptxsim: " + text.substr(begin, end - begin) + "\n";
    if (end == std::string::npos)
      return;
    begin = end + 1;
  }
}

static std::string positionOf(const Place &place) {
  std::string position = place.module.empty() ? "<memory>" : place.module;
  if (place.line != 0)
    position += ":" + std::to_string(place.line);
  if (!place.text.empty())
    position += ": " + place.text;
  return position;
}

std::string render(const Fault &fault) {
  std::string report;
  std::string head = "error: ";
  if (!fault.check.empty())
    head += fault.check + ": ";
  addLine(report, head + fault.message);
  const Place &place = fault.place;
  if (!place.kernel.empty())
    addLine(report, "  in kernel '" + place.kernel + "'");
  if (place.line != 0 || !place.text.empty())
    addLine(report, "  at " + positionOf(place));
  if (!place.source.empty())
    addLine(report, "  from " + place.source);
  std::string who = "  by block " + tuple(place.block);
  if (place.warp >= 0)
    who += ", warp " + std::to_string(place.warp);
  if (place.lane >= 0)
    who += ", lane " + std::to_string(place.lane) + ", thread " +
           tuple(place.thread);
  if (!place.kernel.empty())
    addLine(report, who);
  if (!fault.address.empty())
    addLine(report, "  address: " + fault.address);
  for (const std::string &note : fault.notes)
    addLine(report, "  note: " + note);
  if (!fault.advice.empty())
    addLine(report, "  help: " + fault.advice);
  return report;
}

} // namespace ptxsim
