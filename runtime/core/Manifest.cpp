#include "runtime/core/Manifest.h"

#include "runtime/core/PlanReader.h"

#include <algorithm>

using namespace tcc;
using namespace tcc::rt;

std::string tcc::rt::printable(const std::string &text) {
  std::string result = text.substr(0, 200);
  for (char &c : result)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f)
      c = '?';
  return result;
}

static Status malformed(const std::string &path, const std::string &what) {
  return Status::badData(path + ": manifest: " + what);
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
    std::string at = "segment at byte " + std::to_string(segment.offset);
    if (segment.offset % segmentAlignment != 0)
      return malformed(path, at + ": expected a multiple of 4096");
    if (segment.offset < end)
      return malformed(path, at +
                                 ": it overlaps what lies before it, which "
                                 "ends at byte " +
                                 std::to_string(end));
    if (segment.offset > fileBytes ||
        segment.bytes > fileBytes - segment.offset)
      return malformed(path, at + ": expected it to end within the " +
                                 std::to_string(fileBytes) +
                                 " bytes of the file, got " +
                                 std::to_string(segment.bytes) + " bytes");
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

/// Checks one target and reads its plan.
static Status readTarget(const schema::Executable &root,
                         const schema::Target &target, const std::string &path,
                         Plan &plan) {
  if (target.kind() > schema::TargetKind::MAX)
    return {Status::Code::DeviceUnavailable,
            path +
                ": it was compiled for a kind of device that this tcc-run "
                "does not know (" +
                std::to_string(static_cast<int>(target.kind())) +
                "); use a newer one"};
  uint64_t devices = 1;
  if (target.mesh())
    for (uint32_t size : *target.mesh())
      devices = std::min<uint64_t>(devices * size, UINT32_MAX);
  if (devices != 1 || target.rank() != 0)
    return {Status::Code::DeviceUnavailable,
            path + ": it was compiled for a mesh of " +
                std::to_string(devices) +
                " devices, and this tcc-run drives one; compile it with "
                "--devices=1"};
  PlanReader reader(root, target);
  if (!reader.read(plan))
    return malformed(path, reader.message());
  return {};
}

/// Fills what is not part of the plan.
static void describeTarget(const schema::Target &target, Manifest &manifest) {
  manifest.cpu = target.cpu()->str();
  for (const flatbuffers::String *feature : *target.features())
    manifest.features.push_back(feature->str());
  manifest.code = rangeOf(*target.code());
  if (target.weights())
    manifest.weights = rangeOf(*target.weights());
}

Status tcc::rt::readManifest(const uint8_t *bytes, size_t size,
                             uint64_t fileBytes, const std::string &path,
                             Manifest &result) {
  // Each table takes at least eight bytes of an honest file.
  flatbuffers::Verifier verifier(bytes, size, /*max_depth=*/64,
                                 static_cast<flatbuffers::uoffset_t>(
                                     std::min<size_t>(size / 8, UINT32_MAX)));
  if (size > FLATBUFFERS_MAX_BUFFER_SIZE ||
      !schema::VerifyExecutableBuffer(verifier))
    return malformed(path, "it is not a well-formed FlatBuffer of a model");
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
  for (const schema::Target *target : *root.targets()) {
    Plan plan;
    if (Status status = readTarget(root, *target, path, plan); !status.ok())
      return status;
    if (!manifest.cpu.empty() || !manifest.plan.sections.empty())
      continue;
    manifest.plan = std::move(plan);
    describeTarget(*target, manifest);
  }
  if (manifest.plan.sections.empty())
    return {Status::Code::DeviceUnavailable,
            path + ": it has no code for x86-64; compile it with "
                   "--target=x86-64"};
  result = std::move(manifest);
  return {};
}
