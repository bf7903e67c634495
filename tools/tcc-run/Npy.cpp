#include "tools/tcc-run/Npy.h"

#include "runtime/support/Npy.h"

using namespace tcc;
using namespace tcc::run;

Status NpyWriter::create(const std::string &path, int64_t columnCount) {
  columns = columnCount;
  return file.create(path);
}

Status NpyWriter::append(const float *row) {
  auto bytes = static_cast<uint64_t>(columns) * sizeof(float);
  uint64_t offset = npyHeaderBytes + static_cast<uint64_t>(rows++) * bytes;
  return file.writeAt(offset, row, bytes);
}

Status NpyWriter::commit() {
  std::string header = npyHeader("<f4", {rows, columns});
  if (Status status = file.writeAt(0, header.data(), header.size());
      !status.ok())
    return status;
  return file.commit();
}
