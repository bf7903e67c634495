// What the memory of the process may be used for; see HostMaps.h.

#include "tools/ptxsim/driver/baseline/HostMaps.h"

#include <cinttypes>
#include <cstdio>
#include <link.h>

namespace ptxsim::driver {

/// True if `address` lies in code of the program or a library.
static bool isLoadedCode(uint64_t address) {
  return dl_iterate_phdr(
      [](dl_phdr_info *object, size_t, void *argument) {
        uint64_t wanted = *static_cast<uint64_t *>(argument);
        for (unsigned i = 0; i < object->dlpi_phnum; ++i) {
          const ElfW(Phdr) &part = object->dlpi_phdr[i];
          if (part.p_type == PT_LOAD && (part.p_flags & PF_X) != 0 &&
              wanted - (object->dlpi_addr + part.p_vaddr) < part.p_memsz)
            return 1;
        }
        return 0;
      },
      &address);
}

/// True if the system says that all of `[address, end)` may be used as `letter`
/// says, and if it says nothing.
static bool isMapped(uint64_t address, uint64_t end, char letter) {
  FILE *file = std::fopen("/proc/self/maps", "re");
  if (!file)
    return true;
  uint64_t first = 0, last = 0;
  char rights[5] = {};
  while (address < end && std::fscanf(file,
                                      "%" SCNx64 "-%" SCNx64 " %4s%*[^\n]",
                                      &first, &last, rights) == 3) {
    bool isAllowed = false;
    for (char right : rights)
      isAllowed |= right == letter;
    if (address >= first && address < last && isAllowed)
      address = last;
  }
  std::fclose(file);
  return address >= end;
}

bool isExecutable(uint64_t address) {
  return address != UINT64_MAX &&
         (isLoadedCode(address) || isMapped(address, address + 1, 'x'));
}

bool isWritable(uint64_t address, uint64_t bytes) {
  return bytes <= UINT64_MAX - address &&
         isMapped(address, address + bytes, 'w');
}

} // namespace ptxsim::driver
