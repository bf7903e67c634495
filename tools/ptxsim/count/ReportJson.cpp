// The JSON of a report: one launch and one line of PTX on a line.

#include "tools/ptxsim/core/Block.h"
#include "tools/ptxsim/count/Json.h"
#include "tools/ptxsim/count/Report.h"

#include <string_view>

using namespace ptxsim;

/// Writes the counters that are not 0, those of a group as one object.
void CountReport::write(JsonWriter &json, const Counts &counts) {
  std::string_view open;
  for (unsigned i = 0; i < countCount; ++i) {
    if (counts.values[i] == 0)
      continue;
    std::string_view group = countNames[i].group;
    if (group != open) {
      if (!open.empty())
        json.endObject();
      if (!group.empty())
        json.beginObject(group);
      open = group;
    }
    json.number(countNames[i].name, counts.values[i]);
  }
  if (!open.empty())
    json.endObject();
}

static void writeTypes(JsonWriter &json, const char *name,
                       const std::map<std::string, uint64_t> &types) {
  if (types.empty())
    return;
  json.beginObject(name);
  for (const auto &[type, operations] : types)
    json.number(type, operations);
  json.endObject();
}

void CountReport::write(JsonWriter &json, const CountTotals &totals) {
  json.beginObject("totals");
  write(json, totals.counts);
  json.beginObject("classes");
  for (unsigned i = 0; i < opClasses; ++i) {
    if (totals.classes[i].issued == 0)
      continue;
    json.beginObject(nameOf(OpClass(i)));
    json.number("issued", totals.classes[i].issued);
    json.number("lanes", totals.classes[i].lanes);
    json.endObject();
  }
  json.endObject();
  writeTypes(json, "tensorOperations", totals.tensor);
  writeTypes(json, "scalarOperations", totals.scalar);
  json.endObject();
}

static void writeSize(JsonWriter &json, const char *name,
                      const std::array<uint32_t, 3> &size) {
  json.beginArray(name);
  for (uint32_t value : size)
    json.number({}, value);
  json.endArray();
}

static const char *nameOfLimit(const Occupancy &occupancy) {
  uint32_t blocks = occupancy.blocks();
  return blocks == occupancy.byThreads     ? "threads"
         : blocks == occupancy.byRegisters ? "registers"
         : blocks == occupancy.byShared    ? "shared memory"
         : blocks == occupancy.byBlocks    ? "blocks"
                                           : "barriers";
}

static uint64_t product(const std::array<uint32_t, 3> &size) {
  return uint64_t(size[0]) * size[1] * size[2];
}

static void writeOccupancy(JsonWriter &json, const LaunchParameters &launch,
                           const Occupancy &occupancy) {
  uint64_t warps = (product(launch.block) + 31) / 32;
  uint64_t blocks = occupancy.blocks();
  uint64_t room = blocks * h100::multiprocessors;
  json.beginObject("occupancy");
  json.number("blocksPerMultiprocessor", blocks);
  json.number("warpsPerMultiprocessor", blocks * warps);
  json.string("limit", nameOfLimit(occupancy));
  json.number("byThreads", occupancy.byThreads);
  json.number("byRegisters", occupancy.byRegisters);
  json.number("byShared", occupancy.byShared);
  json.number("byBlocks", occupancy.byBlocks);
  json.number("byBarriers", occupancy.byBarriers);
  json.number("waves",
              room == 0 ? 0 : (product(launch.grid) + room - 1) / room);
  json.endObject();
}

void CountReport::write(JsonWriter &json, const LaunchRecord &record) {
  const LaunchParameters &launch = record.launch;
  json.newLine();
  json.beginObject();
  json.number("launch", launch.serial);
  json.number("kernel", record.kernel);
  json.string("result", record.hasFailed ? "failed" : "finished");
  writeSize(json, "grid", launch.grid);
  writeSize(json, "block", launch.block);
  if (launch.hasCluster)
    writeSize(json, "cluster", launch.cluster);
  json.boolean("cooperative", launch.cooperative);
  json.boolean("programmatic", launch.programmatic);
  json.number("registers", record.registers);
  json.number("staticSharedBytes", record.staticSharedBytes);
  json.number("dynamicSharedBytes", launch.dynamicSharedBytes);
  json.number("l1BytesOfBlock", record.l1Bytes);
  writeOccupancy(json, launch, record.occupancy);
  write(json, record.totals);
  json.endObject();
}

static std::string nameOfBarrier(uint32_t barrier) {
  if (barrier < Counters::clusterBarrier)
    return "bar " + std::to_string(barrier);
  return barrier == Counters::clusterBarrier
             ? "barrier.cluster"
             : "mbarrier " + std::to_string(barrier);
}

static void writeBarriers(JsonWriter &json, const BarrierWaits &barriers) {
  if (barriers.empty())
    return;
  json.beginArray("barriers");
  for (const auto &[barrier, waits] : barriers) {
    json.beginObject();
    json.string("barrier", nameOfBarrier(barrier));
    json.number("waits", waits.waits);
    json.number("notReady", waits.notReady);
    json.number("opsMeanwhile", waits.opsMeanwhile);
    json.endObject();
  }
  json.endArray();
}

void CountReport::write(JsonWriter &json, const LineRecord &line) {
  json.newLine();
  json.beginObject();
  json.string("function", line.function);
  json.number("line", line.line);
  json.string("text", line.text);
  if (line.sourceLine != 0) {
    json.string("sourceFile", line.sourceFile);
    json.number("sourceLine", line.sourceLine);
  }
  json.string("class", nameOf(line.opClass));
  writeBarriers(json, line.barriers);
  write(json, line.counts);
  json.endObject();
}

static std::string nameOf(const Schedule &schedule) {
  switch (schedule.kind) {
  case Schedule::Kind::Eager:
    return "eager";
  case Schedule::Kind::Lazy:
    return "lazy";
  case Schedule::Kind::Random:
    return "random:" + std::to_string(schedule.seed);
  }
  return "";
}

std::string CountReport::json(const EngineOptions &options) const {
  JsonWriter json;
  json.beginObject();
  json.newLine();
  json.string("format", "ptxsim-counts-1");
  json.string("schedule", ::nameOf(options.schedule));
  json.string("checks", options.checks == CheckLevel::All      ? "all"
                        : options.checks == CheckLevel::Memory ? "memory"
                                                               : "none");
  json.string("tensor", options.hopperTensor ? "hopper" : "exact");
  json.number("l2Bytes", h100::l2Bytes);
  json.number("launchesNotListed", notListed);
  json.newLine();
  json.beginArray("launches");
  for (const LaunchRecord &launch : launches)
    write(json, launch);
  json.newLine();
  json.endArray();
  json.newLine();
  json.beginArray("kernels");
  for (const KernelRecord &kernel : kernels) {
    json.newLine();
    json.beginObject();
    json.string("name", kernel.name);
    json.string("module", kernel.module);
    json.number("launches", kernel.launches);
    write(json, kernel.totals);
    json.newLine();
    json.beginArray("lines");
    for (const auto &[place, line] : kernel.lines)
      write(json, line);
    json.newLine();
    json.endArray();
    json.endObject();
  }
  json.newLine();
  json.endArray();
  json.newLine();
  json.endObject();
  return json.text() + "\n";
}
