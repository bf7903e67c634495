#include "runtime/support/File.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tcc;

//===----------------------------------------------------------------------===//
// MappedFile
//===----------------------------------------------------------------------===//

static Status noInput(const std::string &path, const char *reason) {
  return {Status::Code::NoInput, path + ": cannot read: " + reason};
}

/// What `error` of a call on `path` means.
static Status noInput(const std::string &path, int error) {
  if (error == ENOMEM)
    return {Status::Code::OutOfMemory,
            path + ": cannot map: " + strerror(error) +
                "; raise the limit of address space (ulimit -v)"};
  return noInput(path, strerror(error));
}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(bytes, other.bytes);
  std::swap(length, other.length);
  std::swap(name, other.name);
  return *this;
}

MappedFile::~MappedFile() {
  if (bytes)
    munmap(const_cast<uint8_t *>(bytes), length);
}

Status MappedFile::open(const std::string &path, MappedFile &result) {
  // O_NONBLOCK: opening a FIFO would wait for its writer.
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return noInput(path, errno);
  struct stat info = {};
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(descriptor);
    return noInput(path, S_ISDIR(info.st_mode) ? "it is a directory"
                                               : "it is not a regular file");
  }
  MappedFile file;
  file.name = path;
  if (info.st_size > 0) {
    void *address = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ,
                         MAP_PRIVATE, descriptor, 0);
    if (address == MAP_FAILED) {
      int error = errno;
      close(descriptor);
      return noInput(path, error);
    }
    file.bytes = static_cast<const uint8_t *>(address);
    file.length = static_cast<size_t>(info.st_size);
  }
  close(descriptor);
  result = std::move(file);
  return {};
}

//===----------------------------------------------------------------------===//
// AtomicFile
//===----------------------------------------------------------------------===//

// The names of open temporary files, so that a signal handler can unlink them: a
// list whose elements stay, since a handler may be reading it at any time.
struct tcc::TemporaryName {
  std::atomic<bool> inUse{true};
  std::atomic<bool> ready{false};
  std::array<char, PATH_MAX> name;
  TemporaryName *next = nullptr;
};
static std::atomic<TemporaryName *> temporaries{nullptr};

/// An element that nobody uses, an old one or a new one.
static TemporaryName *takeElement() {
  for (TemporaryName *element = temporaries; element; element = element->next)
    if (!element->inUse.exchange(true))
      return element;
  auto *element = new TemporaryName;
  element->next = temporaries;
  while (!temporaries.compare_exchange_weak(element->next, element))
    ;
  return element;
}

static TemporaryName *registerTemporary(const std::string &name) {
  TemporaryName *element = takeElement();
  memcpy(element->name.data(), name.c_str(), name.size() + 1);
  element->ready = true;
  return element;
}

static void unregisterTemporary(TemporaryName *&slot) {
  if (!slot)
    return;
  slot->ready = false;
  slot->inUse = false;
  slot = nullptr;
}

void AtomicFile::removeAllTemporaries() {
  for (TemporaryName *element = temporaries; element; element = element->next)
    if (element->ready)
      unlink(element->name.data());
}

static Status cannotWrite(const std::string &path, const char *reason) {
  return {Status::Code::CannotWrite, path + ": cannot write: " + reason};
}

Status AtomicFile::create(const std::string &finalPath) {
  struct stat info;
  if (stat(finalPath.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return cannotWrite(finalPath, S_ISDIR(info.st_mode)
                                      ? "it is a directory"
                                      : "it is not a regular file");
  path = target = finalPath;
  std::array<char, PATH_MAX> resolved;
  if (realpath(finalPath.c_str(), resolved.data()))
    target = resolved.data();
  std::random_device random;
  do {
    unregisterTemporary(slot);
    temporary = target + ".part-" + std::to_string(random());
    if (temporary.size() >= PATH_MAX)
      return cannotWrite(finalPath, strerror(ENAMETOOLONG));
    // The name comes first: there must be no file that a signal handler does
    // not know.
    slot = registerTemporary(temporary);
    descriptor =
        open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EEXIST);
  if (descriptor >= 0)
    return {};
  temporary.clear();
  return cannotWrite(finalPath, strerror(errno));
}

Status AtomicFile::writeAt(uint64_t offset, const void *data, size_t size) {
  const char *bytes = static_cast<const char *>(data);
  // Linux looks for as much contiguous memory as one call writes; above this it
  // takes longer to find than to fill.
  constexpr size_t pieceBytes = 256 << 10;
  while (size > 0) {
    ssize_t written = pwrite(descriptor, bytes, std::min(size, pieceBytes),
                             static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return cannotWrite(path, written == 0 ? "no space" : strerror(errno));
    bytes += written;
    offset += static_cast<uint64_t>(written);
    size -= static_cast<size_t>(written);
  }
  return {};
}

Status AtomicFile::commit() {
  int result = close(descriptor);
  descriptor = -1;
  if (result != 0 || rename(temporary.c_str(), target.c_str()) != 0)
    return cannotWrite(path, strerror(errno));
  temporary.clear();
  unregisterTemporary(slot);
  return {};
}

AtomicFile::~AtomicFile() {
  if (descriptor >= 0)
    close(descriptor);
  if (!temporary.empty())
    unlink(temporary.c_str());
  unregisterTemporary(slot);
}
