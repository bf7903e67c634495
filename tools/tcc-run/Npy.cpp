#include "tools/tcc-run/Npy.h"

using namespace tcc;
using namespace tcc::run;

/// Room for the header, a multiple of 64 as the format asks for.
static constexpr size_t headerBytes = 128;

Status NpyWriter::create(const std::string &path, int64_t columnCount) {
  columns = columnCount;
  return file.create(path);
}

Status NpyWriter::append(const float *row) {
  auto bytes = static_cast<uint64_t>(columns) * sizeof(float);
  uint64_t offset = headerBytes + static_cast<uint64_t>(rows++) * bytes;
  return file.writeAt(offset, row, bytes);
}

Status NpyWriter::commit() {
  std::string header("\x93NUMPY\x01\x00", 8);
  size_t length = headerBytes - 10;
  header += static_cast<char>(length);
  header += '\0';
  header += "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
            std::to_string(rows) + ", " + std::to_string(columns) + "), }";
  header.resize(headerBytes - 1, ' ');
  header += '\n';
  if (Status status = file.writeAt(0, header.data(), header.size());
      !status.ok())
    return status;
  return file.commit();
}
