#include "test/unit/runtime/SeparateDevice.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <sys/mman.h>

using namespace tcc;
using namespace tcc::rt;

Status SeparateDevice::count() {
  return callsBeforeFailure-- == 0
             ? Status{Status::Code::DeviceUnavailable, "device: it is lost"}
             : Status();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

DeviceMemory SeparateDevice::allocate(int64_t bytes, uint8_t filler) {
  size_t size = std::max<size_t>(static_cast<size_t>(bytes), 1);
  void *mapping = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(mapping, filler, size);
  mprotect(mapping, size, PROT_NONE);
  auto *address = static_cast<uint8_t *>(mapping);
  ranges[address] = size;
  return {address, [this](uint8_t *first) {
            munmap(first, ranges[first]);
            ranges.erase(first);
          }};
}

bool SeparateDevice::holds(const void *address) const {
  for (auto [first, size] : ranges)
    if (address >= first && address < first + size)
      return true;
  return false;
}

void SeparateDevice::open(bool isOpen) const {
  for (auto [address, size] : ranges)
    mprotect(address, size, isOpen ? PROT_READ | PROT_WRITE : PROT_NONE);
}

Status SeparateDevice::load(const Executable &, const uint8_t *&) {
  return {Status::Code::Internal, "its kernels are those that it has"};
}

Status SeparateDevice::reserve(int64_t bytes, const std::string &,
                               const std::string &, DeviceMemory &result) {
  if (Status status = count(); !status.ok())
    return status;
  result = allocate(bytes, 0);
  return {};
}

Status SeparateDevice::reserveWork(const WorkBytes &work, int64_t,
                                   DeviceMemory &arena) {
  if (Status status = count(); !status.ok())
    return status;
  arena = allocate(work.arena, 0xff);
  scratch.resize(static_cast<size_t>(work.scratch));
  return {};
}

Status SeparateDevice::zero(uint8_t *address, int64_t bytes) {
  if (Status status = count(); !status.ok())
    return status;
  open(true);
  memset(address, 0, static_cast<size_t>(bytes));
  open(false);
  return {};
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

Status SeparateDevice::begin(const KernelSizes &stepSizes,
                             const std::vector<ByteRange> &stepInputs,
                             std::vector<void *> &addresses) {
  if (Status status = count(); !status.ok())
    return status;
  for (std::vector<uint8_t> &result : onHost)
    std::fill(result.begin(), result.end(), 0xff);
  sizes = stepSizes;
  launches.clear();
  inputs.clear();
  addresses.clear();
  for (const ByteRange &input : stepInputs) {
    inputs.push_back(allocate(input.bytes, 0xff));
    addresses.push_back(inputs.back().get());
  }
  open(true);
  for (size_t i = 0; i < inputs.size(); ++i)
    if (stepInputs[i].bytes > 0)
      memcpy(inputs[i].get(), stepInputs[i].data,
             static_cast<size_t>(stepInputs[i].bytes));
  open(false);
  return {};
}

Status SeparateDevice::launch(const Launch &launch) {
  if (Status status = count(); !status.ok())
    return status;
  for (size_t i = 0; i < launch.argumentCount; ++i)
    EXPECT_TRUE(holds(launch.arguments[i])) << "argument " << i;
  launches.push_back(
      {launch.kernel,
       {launch.arguments, launch.arguments + launch.argumentCount},
       launch.tiles,
       launch.seconds});
  return {};
}

Status SeparateDevice::finish(const std::vector<ByteRange> &results,
                              std::vector<const void *> &host) {
  if (Status status = count(); !status.ok())
    return status;
  open(true);
  for (const Recorded &launch : launches) {
    kernels[launch.kernel](launch.arguments.data(), sizes.data(), 0,
                           launch.tiles, scratch.data());
    if (launch.seconds)
      *launch.seconds += 1;
  }
  launches.clear();
  onHost.clear();
  host.clear();
  for (const ByteRange &result : results) {
    const auto *first = static_cast<const uint8_t *>(result.data);
    onHost.emplace_back(first, first + result.bytes);
    host.push_back(onHost.back().data());
  }
  open(false);
  return {};
}
