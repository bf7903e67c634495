#include "runtime/cpu/Machine.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sched.h>
#include <set>
#include <sstream>
#include <sys/mman.h>

using namespace tcc::rt;

//===----------------------------------------------------------------------===//
// cgroups
//===----------------------------------------------------------------------===//

/// The folders of this process's cgroup and of those around it, innermost
/// first, for version 2 (`controller` empty) or for one controller of
/// version 1.
///
/// Inside a container /proc/self/cgroup often names a path of the host that is
/// not visible; the root of the mount is then what limits us.
static std::vector<std::string> cgroupFolders(const std::string &root,
                                              const std::string &controller) {
  std::string mount = root + "/sys/fs/cgroup";
  if (!controller.empty())
    mount += "/" + controller;
  std::vector<std::string> folders;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    std::string names = line.substr(first + 1, second - first - 1);
    if (("," + names + ",").find("," + controller + ",") == std::string::npos)
      continue;
    std::string path = line.substr(second + 1);
    for (; path.size() > 1; path = path.substr(0, path.rfind('/')))
      folders.push_back(mount + path);
  }
  folders.push_back(mount);
  return folders;
}

/// The number in `path`, or `otherwise` if there is none ("max" included).
static int64_t numberIn(const std::string &path, int64_t otherwise) {
  std::ifstream file(path);
  int64_t value;
  return file >> value ? value : otherwise;
}

/// CPUs' worth of time that cgroups allow, rounded up.
static int cgroupCpus(const std::string &root) {
  double cpus = std::numeric_limits<double>::infinity();
  for (const std::string &folder : cgroupFolders(root, "")) {
    std::ifstream file(folder + "/cpu.max");
    double quota, period;
    if (file >> quota >> period && quota > 0 && period > 0)
      cpus = std::min(cpus, quota / period);
  }
  for (const std::string &folder : cgroupFolders(root, "cpu")) {
    int64_t quota = numberIn(folder + "/cpu.cfs_quota_us", -1);
    int64_t period = numberIn(folder + "/cpu.cfs_period_us", -1);
    if (quota > 0 && period > 0)
      cpus = std::min(cpus,
                      static_cast<double>(quota) / static_cast<double>(period));
  }
  return cpus < 1e6 ? static_cast<int>(std::ceil(cpus))
                    : std::numeric_limits<int>::max();
}

/// Bytes of page cache that the kernel would give up, from a memory.stat file.
static int64_t reclaimableBytes(const std::string &folder) {
  std::ifstream file(folder + "/memory.stat");
  std::string key;
  int64_t value, sum = 0;
  while (file >> key >> value)
    if (key == "inactive_file" || key == "active_file")
      sum += value;
  return sum;
}

static int64_t cgroupMemoryLeft(const std::string &root,
                                const std::string &controller,
                                const char *limitFile, const char *usageFile) {
  constexpr int64_t unlimited = std::numeric_limits<int64_t>::max();
  int64_t left = unlimited;
  for (const std::string &folder : cgroupFolders(root, controller)) {
    int64_t limit = numberIn(folder + "/" + limitFile, unlimited);
    int64_t usage = numberIn(folder + "/" + usageFile, 0);
    // Version 1 writes "no limit" as a number just below 2^63.
    if (limit < unlimited / 2)
      left = std::min(left, limit - usage + reclaimableBytes(folder));
  }
  return std::max<int64_t>(left, 0);
}

//===----------------------------------------------------------------------===//
// CPUs
//===----------------------------------------------------------------------===//

std::vector<int> tcc::rt::allowedCpus() {
  std::vector<int> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set))
        cpus.push_back(cpu);
  return cpus;
}

int tcc::rt::defaultThreads(const std::string &root) {
  int cpus = static_cast<int>(allowedCpus().size());
  return std::max(1, std::min(cpus, cgroupCpus(root)));
}

std::vector<std::string>
tcc::rt::missingFeatures(const std::vector<std::string> &features) {
  std::set<std::string> present;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, 5, "flags") != 0)
      continue;
    std::istringstream words(
        line.substr(std::min(line.find(':') + 1, line.size())));
    for (std::string word; words >> word;)
      present.insert(word);
    break;
  }
  std::vector<std::string> missing;
  for (const std::string &feature : features)
    if (!present.count(feature))
      missing.push_back(feature);
  return missing;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

int64_t tcc::rt::availableMemoryBytes(const std::string &root) {
  int64_t available = std::numeric_limits<int64_t>::max();
  std::ifstream file(root + "/proc/meminfo");
  std::string key, unit;
  int64_t value;
  while (file >> key >> value && std::getline(file, unit))
    if (key == "MemAvailable:")
      available = value * 1024;
  available = std::min(
      available, cgroupMemoryLeft(root, "", "memory.max", "memory.current"));
  return std::min(available,
                  cgroupMemoryLeft(root, "memory", "memory.limit_in_bytes",
                                   "memory.usage_in_bytes"));
}

AnonymousMemory &AnonymousMemory::operator=(AnonymousMemory &&other) noexcept {
  std::swap(bytes, other.bytes);
  std::swap(length, other.length);
  std::swap(mapping, other.mapping);
  std::swap(mappingBytes, other.mappingBytes);
  return *this;
}

AnonymousMemory::~AnonymousMemory() {
  if (mapping)
    munmap(mapping, mappingBytes);
}

bool AnonymousMemory::reserve(size_t size, AnonymousMemory &result) {
  constexpr size_t hugePage = size_t(2) << 20;
  if (size > std::numeric_limits<size_t>::max() / 4)
    return false;
  // Small ranges are not worth a huge page each.
  bool isLarge = size >= hugePage;
  size_t alignment = isLarge ? hugePage : 4096;
  AnonymousMemory memory;
  memory.length = size;
  memory.mappingBytes = size + alignment;
  void *address = mmap(nullptr, memory.mappingBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED)
    return false;
  memory.mapping = address;
  uintptr_t beyond = reinterpret_cast<uintptr_t>(address) % alignment;
  memory.bytes =
      static_cast<uint8_t *>(address) + (beyond == 0 ? 0 : alignment - beyond);
  if (isLarge)
    madvise(memory.bytes, size, MADV_HUGEPAGE); // A hint: failure costs speed.
  result = std::move(memory);
  return true;
}
