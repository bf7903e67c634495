#include "runtime/core/Manifest.h"

#include "runtime/core/PlanReader.h"

#include <algorithm>
#include <set>

using namespace tcc;
using namespace tcc::rt;

static Status malformed(const std::string &path, const std::string &what) {
  return Status::badData(path + ": manifest: " + what +
                         "; the file is damaged: compile the model again");
}

static SegmentRange rangeOf(const schema::Segment &segment) {
  return {segment.offset(),
          segment.bytes(),
          {segment.digest().low(), segment.digest().high()}};
}

/// Checks that no two of `segments` overlap and that all lie between the
/// manifest and the end of the file.
static Status checkSegments(std::vector<SegmentRange> segments,
                            uint64_t manifestEnd, uint64_t fileBytes,
                            const std::string &path) {
  std::sort(segments.begin(), segments.end(),
            [](const SegmentRange &a, const SegmentRange &b) {
              return a.offset < b.offset;
            });
  uint64_t end = manifestEnd;
  for (const SegmentRange &segment : segments) {
    std::string at = std::to_string(segment.offset);
    if (segment.offset % segmentAlignment != 0)
      return malformed(
          path, "segment: expected it at a multiple of 4096, got byte " + at);
    if (segment.offset < end)
      return malformed(path, "segment: expected it behind what ends at byte " +
                                 std::to_string(end) + ", got byte " + at);
    if (segment.offset > fileBytes ||
        segment.bytes > fileBytes - segment.offset)
      return malformed(
          path, "segment: expected it within the " + std::to_string(fileBytes) +
                    " bytes of the file, got " + std::to_string(segment.bytes) +
                    " bytes from byte " + at);
    end = segment.offset + segment.bytes;
  }
  return {};
}

/// Checks what is said of the whole model.
static Status checkModel(const schema::Executable &root,
                         const std::string &path) {
  if (root.activations() > schema::ElementType::BF16)
    return malformed(path,
                     "activations: expected F32, F16 or BF16, got " +
                         std::to_string(static_cast<int>(root.activations())));
  if (root.end_ids())
    for (int32_t id : *root.end_ids())
      if (id < 0)
        return malformed(path, "end_ids: expected ids from 0, got " +
                                   std::to_string(id));
  return {};
}

std::string tcc::rt::nameOf(schema::TargetKind kind) {
  switch (kind) {
  case schema::TargetKind::X86_64:
    return "x86-64";
  case schema::TargetKind::H100:
    return "h100";
  }
  return "kind " + std::to_string(static_cast<int>(kind));
}

/// The names of `kinds`, with `separator` between them.
static std::string join(const std::set<schema::TargetKind> &kinds,
                        const char *separator) {
  std::string names;
  for (schema::TargetKind kind : kinds)
    names += (names.empty() ? "" : separator) + nameOf(kind);
  return names;
}

/// Says that a file has code for `kinds` and for no device of kind `kind`, or
/// for none that is known.
static Status missingTarget(const std::string &path,
                            const std::set<schema::TargetKind> &kinds,
                            std::optional<schema::TargetKind> kind) {
  std::string expected = kind ? nameOf(*kind) : "a kind that tcc-run knows";
  bool isKnown = true;
  for (schema::TargetKind other : kinds)
    isKnown = isKnown && other <= schema::TargetKind::MAX;
  std::string advice = "use a newer tcc-run";
  if (isKnown) {
    std::set<schema::TargetKind> wanted = kinds;
    if (kind)
      wanted.insert(*kind);
    advice = "compile the model again";
    if (!wanted.empty())
      advice += " with --target=" + join(wanted, ",");
  }
  return {Status::Code::DeviceUnavailable,
          path + (kinds.size() == 1 ? ": target" : ": targets") +
              ": expected " + expected + ", got " +
              (kinds.empty() ? "none" : join(kinds, ", ")) + "; " + advice};
}

/// Finds the first target of kind `kind` in `targets`; without one, the first
/// of a known kind.
static Status findTarget(
    const flatbuffers::Vector<flatbuffers::Offset<schema::Target>> &targets,
    std::optional<schema::TargetKind> kind, const std::string &path,
    const schema::Target *&result) {
  std::set<schema::TargetKind> kinds;
  for (const schema::Target *target : targets) {
    if (kind ? target->kind() == *kind
             : target->kind() <= schema::TargetKind::MAX) {
      result = target;
      return {};
    }
    kinds.insert(target->kind());
  }
  return missingTarget(path, kinds, kind);
}

/// Checks one target and reads its plan.
static Status readTarget(const schema::Executable &root,
                         const schema::Target &target, const std::string &path,
                         CopyBudget &budget, Plan &plan) {
  uint64_t devices = 1;
  if (target.mesh())
    for (uint32_t size : *target.mesh())
      devices = std::min<uint64_t>(devices * size, UINT32_MAX);
  if (devices != 1 || target.rank() != 0)
    return {Status::Code::DeviceUnavailable,
            path + ": target: expected one device of rank 0, got a mesh of " +
                std::to_string(devices) + " and rank " +
                std::to_string(target.rank()) +
                "; compile the model for one device"};
  PlanReader reader(root, target, budget);
  if (!reader.read(plan))
    return malformed(path, reader.message());
  return {};
}

/// Fills what is not part of the plan.
static Status describeTarget(const schema::Target &target,
                             const std::string &path, CopyBudget &budget,
                             Manifest &manifest) {
  bool fits = budget.take(target.cpu()->size());
  for (const flatbuffers::String *feature : *target.features())
    fits = fits && budget.take(uint64_t(4) + feature->size());
  if (!fits)
    return malformed(path, "features: expected names that share no bytes, got "
                           "more than the manifest could hold");
  manifest.kind = target.kind();
  manifest.cpu = target.cpu()->str();
  for (const flatbuffers::String *feature : *target.features())
    manifest.features.push_back(feature->str());
  manifest.code = rangeOf(*target.code());
  if (target.weights())
    manifest.weights = rangeOf(*target.weights());
  return {};
}

Status tcc::rt::readManifest(const uint8_t *bytes, size_t size,
                             uint64_t fileBytes, const std::string &path,
                             std::optional<schema::TargetKind> kind,
                             Manifest &result) {
  // A Verifier aborts at 2 GiB. Each table takes at least eight bytes of an
  // honest file.
  bool fits = size < FLATBUFFERS_MAX_BUFFER_SIZE;
  flatbuffers::Verifier verifier(
      bytes, fits ? size : 0, /*max_depth=*/64,
      static_cast<flatbuffers::uoffset_t>(fits ? size / 8 : 0));
  if (!fits || !schema::VerifyExecutableBuffer(verifier))
    return malformed(path,
                     "expected a well-formed FlatBuffer of a model, got " +
                         std::to_string(size) + " bytes that are none");
  Manifest manifest;
  manifest.root = schema::GetExecutable(bytes);
  const schema::Executable &root = *manifest.root;
  if (Status status = checkModel(root, path); !status.ok())
    return status;
  std::vector<SegmentRange> segments;
  for (const schema::Target *target : *root.targets()) {
    segments.push_back(rangeOf(*target->code()));
    if (target->weights())
      segments.push_back(rangeOf(*target->weights()));
  }
  if (Status status = checkSegments(std::move(segments), headerBytes + size,
                                    fileBytes, path);
      !status.ok())
    return status;
  const schema::Target *target = nullptr;
  if (Status status = findTarget(*root.targets(), kind, path, target);
      !status.ok())
    return status;
  CopyBudget budget(size);
  if (Status status = readTarget(root, *target, path, budget, manifest.plan);
      !status.ok())
    return status;
  if (Status status = describeTarget(*target, path, budget, manifest);
      !status.ok())
    return status;
  result = std::move(manifest);
  return {};
}
