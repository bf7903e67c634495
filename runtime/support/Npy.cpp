#include "runtime/support/Npy.h"

#include "runtime/support/File.h"

#include <algorithm>

using namespace tcc;

/// The magic number, the version and the length of what follows.
static constexpr size_t prefixBytes = 10;

std::string tcc::npyHeader(const char *type,
                           const std::vector<int64_t> &shape) {
  std::string sizes;
  for (int64_t size : shape)
    sizes += std::to_string(size) + ", ";
  std::string text = std::string("{'descr': '") + type +
                     "', 'fortran_order': False, 'shape': (" + sizes + "), }";
  // The elements begin at a multiple of 64 bytes, after a line break.
  size_t bytes = (prefixBytes + text.size() + 1 + 63) / 64 * 64;
  text.resize(std::max(bytes, npyHeaderBytes) - prefixBytes - 1, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 255);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

Status tcc::writeNpy(const std::string &path, const std::vector<int64_t> &shape,
                     const double *values) {
  AtomicFile file;
  if (Status status = file.create(path); !status.ok())
    return status;
  std::string header = npyHeader("<f8", shape);
  size_t bytes = sizeof(double);
  for (int64_t size : shape)
    bytes *= static_cast<size_t>(size);
  if (Status status = file.writeAt(0, header.data(), header.size());
      !status.ok())
    return status;
  if (Status status = file.writeAt(header.size(), values, bytes); !status.ok())
    return status;
  return file.commit();
}
