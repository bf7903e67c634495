// The totals of a kernel and its most expensive lines.

#include "tools/ptxsim/report/Table.h"
#include "tools/ptxsim/report/Tables.h"

#include <algorithm>
#include <cstdio>

namespace ptxreport {

/// What a table of lines is ordered by.
using Measure = uint64_t (*)(const Json &line);
/// Its columns between the number of the line and its text.
using Cells = std::vector<std::string> (*)(const Json &line);

namespace {
struct LineTable {
  const char *title;
  Measure measure;
  std::vector<std::string> heads;
  Cells cells;
};
} // namespace

/// An instruction as it fits on a line.
static std::string shortText(const Json &line) {
  static constexpr size_t limit = 72;
  std::string text = textOf(line, "text");
  return text.size() <= limit ? text : text.substr(0, limit - 3) + "...";
}

/// The `count` lines with the most of `measure`, of those that have any.
static std::vector<const Json *> greatest(const Json &kernel, Measure measure,
                                          size_t count) {
  std::vector<const Json *> lines;
  for (const Json &line : member(kernel, "lines"))
    if (measure(line) != 0)
      lines.push_back(&line);
  // Equal ones stay in the order of the text, which is that of their addresses.
  std::sort(lines.begin(), lines.end(), [&](const Json *a, const Json *b) {
    uint64_t first = measure(*a), second = measure(*b);
    return first != second ? first > second : a < b;
  });
  lines.resize(std::min(lines.size(), count));
  return lines;
}

static void printLines(const LineTable &table, const Json &kernel, size_t count,
                       SourceText &sources) {
  std::vector<std::string> heads = {"line"};
  heads.insert(heads.end(), table.heads.begin(), table.heads.end());
  heads.push_back("instruction");
  Table result(heads);
  for (const Json *line : greatest(kernel, table.measure, count)) {
    std::vector<std::string> cells = table.cells(*line);
    cells.insert(cells.begin(), std::to_string(numberOf(*line, "line")));
    cells.push_back(shortText(*line));
    result.add(std::move(cells));
    std::string path = textOf(*line, "sourceFile");
    uint64_t number = numberOf(*line, "sourceLine");
    if (number == 0)
      continue;
    std::string text = sources.lineOf(path, number);
    result.addText("    " + path + ":" + std::to_string(number) +
                   (text.empty() ? "" : ": " + text));
  }
  if (result.isEmpty())
    return;
  std::printf("\n  %s\n", table.title);
  result.print(4);
}

static uint64_t traffic(const Json &line) {
  return l2Bytes(line) + hbmBytes(line) +
         sectorBytes * (numberOf(line, "host", "readSectors") +
                        numberOf(line, "host", "writeSectors"));
}

static uint64_t sumOfRequests(const Json &line, const char *name) {
  return numberOf(line, "globalLoad", name) +
         numberOf(line, "globalStore", name) +
         numberOf(line, "globalAtomic", name);
}

static uint64_t localBytes(const Json &line) {
  return numberOf(line, "localLoad", "bytes") +
         numberOf(line, "localStore", "bytes");
}

static uint64_t stalls(const Json &line) {
  return numberOf(line, "wait", "notReady") +
         numberOf(line, "wait", "opsMeanwhile");
}

static uint64_t issueSlots(const Json &line) {
  return numberOf(line, "issued") + numberOf(line, "predicatedOff");
}

static std::vector<std::string> trafficCells(const Json &line) {
  uint64_t requests = sumOfRequests(line, "requests");
  uint64_t reads = numberOf(line, "l2", "readSectors") +
                   numberOf(line, "l2", "atomicSectors");
  return {percent(numberOf(line, "l1", "hitSectors"),
                  numberOf(line, "globalLoad", "sectors")),
          shortBytes(l2Bytes(line)),
          percent(numberOf(line, "l2", "hitSectors"), reads),
          shortBytes(hbmBytes(line)),
          ratio(sumOfRequests(line, "sectors"), requests),
          ratio(sumOfRequests(line, "idealSectors"), requests)};
}

static std::vector<std::string> waitCells(const Json &line) {
  uint64_t notReady = numberOf(line, "wait", "notReady");
  return {shortNumber(numberOf(line, "wait", "waits")), shortNumber(notReady),
          ratio(numberOf(line, "wait", "opsMeanwhile"), notReady),
          ratio(numberOf(line, "wait", "opsSinceIssue"),
                numberOf(line, "wait", "outstanding"))};
}

static uint64_t divergences(const Json &line) {
  return numberOf(line, "divergences");
}

static std::vector<LineTable> lineTables() {
  std::vector<LineTable> tables;
  tables.push_back(
      {"most executed",
       issueSlots,
       {"issued", "predicated off", "lanes"},
       [](const Json &line) -> std::vector<std::string> {
         return {shortNumber(numberOf(line, "issued")),
                 shortNumber(numberOf(line, "predicatedOff")),
                 percent(numberOf(line, "lanes"), 32 * issueSlots(line))};
       }});
  tables.push_back(
      {"most traffic",
       traffic,
       {"L1 hits", "L2", "L2 hits", "HBM", "sectors/request", "ideal"},
       trafficCells});
  tables.push_back(
      {"least coalesced",
       excessSectors,
       {"requests", "sectors/request", "ideal"},
       [](const Json &line) -> std::vector<std::string> {
         uint64_t requests = sumOfRequests(line, "requests");
         return {shortNumber(requests),
                 ratio(sumOfRequests(line, "sectors"), requests),
                 ratio(sumOfRequests(line, "idealSectors"), requests)};
       }});
  tables.push_back({"most bank conflicts",
                    conflicts,
                    {"wavefronts", "conflicts"},
                    [](const Json &line) -> std::vector<std::string> {
                      return {shortNumber(wavefronts(line)),
                              shortNumber(conflicts(line))};
                    }});
  tables.push_back(
      {"most waiting",
       stalls,
       {"waits", "not ready", "ops meanwhile", "ops since issue"},
       waitCells});
  tables.push_back({"most local memory",
                    localBytes,
                    {"bytes"},
                    [](const Json &line) -> std::vector<std::string> {
                      return {shortBytes(localBytes(line))};
                    }});
  tables.push_back({"most divergent",
                    divergences,
                    {"divergences"},
                    [](const Json &line) -> std::vector<std::string> {
                      return {shortNumber(divergences(line))};
                    }});
  return tables;
}

static void printClasses(const Json &totals) {
  Table table({"class", "issued", "share", "lanes"});
  const Json &classes = member(totals, "classes");
  uint64_t issued = numberOf(totals, "issued");
  if (!classes.is_object())
    return;
  for (const auto &[name, counts] : classes.items()) {
    uint64_t own = numberOf(counts, "issued");
    table.add({name, shortNumber(own), percent(own, issued),
               percent(numberOf(counts, "lanes"), 32 * own)});
  }
  table.print(4);
}

static void printOperations(const Json &totals, const char *name,
                            const char *what) {
  const Json &types = member(totals, name);
  if (!types.is_object())
    return;
  for (const auto &[type, value] : types.items())
    std::printf("    %-12s %s %s\n", type.c_str(),
                shortNumber(numberOf(types, type.c_str())).c_str(), what);
}

/// Waits at each barrier, whichever lines they are at.
static void printBarriers(const Json &kernel) {
  struct Waits {
    uint64_t waits = 0, notReady = 0, opsMeanwhile = 0;
  };
  std::vector<std::pair<std::string, Waits>> barriers; // In order of the text.
  for (const Json &line : member(kernel, "lines"))
    for (const Json &barrier : member(line, "barriers")) {
      std::string name = textOf(barrier, "barrier");
      auto known = std::find_if(
          barriers.begin(), barriers.end(),
          [&](const auto &entry) { return entry.first == name; });
      if (known == barriers.end())
        known = barriers.insert(known, {name, {}});
      known->second.waits += numberOf(barrier, "waits");
      known->second.notReady += numberOf(barrier, "notReady");
      known->second.opsMeanwhile += numberOf(barrier, "opsMeanwhile");
    }
  if (barriers.empty())
    return;
  Table table({"barrier", "waits", "not ready", "ops meanwhile"});
  for (const auto &[name, waits] : barriers)
    table.add({name, shortNumber(waits.waits), shortNumber(waits.notReady),
               ratio(waits.opsMeanwhile, waits.notReady)});
  std::puts("");
  table.print(4);
}

static void printNumbers(const Json &totals) {
  auto row = [](const char *name, uint64_t value, const std::string &what) {
    if (value != 0)
      std::printf("    %-12s %s%s\n", name, shortNumber(value).c_str(),
                  what.c_str());
  };
  auto passes = [&](const char *name, const char *group) {
    row(name, numberOf(totals, group, "passes"),
        " passes of " + shortNumber(numberOf(totals, group, "requests")) +
            " requests");
  };
  row("divergences", divergences(totals), "");
  passes("constants", "constant");
  passes("atomics", "globalAtomic");
}

static void printMemory(const Json &totals) {
  auto row = [](const char *name, uint64_t bytes) {
    if (bytes != 0)
      std::printf("    %-12s %s\n", name, shortBytes(bytes).c_str());
  };
  row("shared", numberOf(totals, "sharedLoad", "bytes") +
                    numberOf(totals, "sharedStore", "bytes") +
                    numberOf(totals, "sharedAtomic", "bytes"));
  row("bulk", numberOf(totals, "bulk", "bytes"));
  row("wgmma reads", numberOf(totals, "tensor", "sharedBytes"));
  row("cluster", numberOf(totals, "cluster", "bytes"));
  row("local", localBytes(totals));
  row("L1 hits", sectorBytes * numberOf(totals, "l1", "hitSectors"));
  row("L2", l2Bytes(totals));
  row("HBM", hbmBytes(totals));
  row("compulsory", sectorBytes *
                        (numberOf(totals, "compulsory", "readSectors") +
                         numberOf(totals, "compulsory", "writeSectors")));
  row("host", sectorBytes * (numberOf(totals, "host", "readSectors") +
                             numberOf(totals, "host", "writeSectors")));
}

void printKernel(const Json &kernel, size_t count, SourceText &sources) {
  const Json &totals = member(kernel, "totals");
  uint64_t launches = numberOf(kernel, "launches");
  std::printf("\n%s of %s: %llu launch%s\n\n", textOf(kernel, "name").c_str(),
              textOf(kernel, "module").c_str(),
              static_cast<unsigned long long>(launches),
              launches == 1 ? "" : "es");
  printClasses(totals);
  std::puts("");
  printOperations(totals, "tensorOperations", "operations of matrices");
  printOperations(totals, "scalarOperations", "operations of lanes");
  printNumbers(totals);
  printMemory(totals);
  printBarriers(kernel);
  for (const LineTable &table : lineTables())
    printLines(table, kernel, count, sources);
}

} // namespace ptxreport
