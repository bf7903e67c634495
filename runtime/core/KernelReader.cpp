// Reads the kernels of a plan, and how a GPU launches them.

#include "runtime/core/PlanMessages.h"
#include "runtime/core/PlanReader.h"

using namespace tcc;
using namespace tcc::rt;

/// The most threads of a block, and how many are in a warp.
static constexpr uint32_t largestBlock = 1024, warpThreads = 32;
/// The most blocks of a cluster, and bytes of shared memory of a block, that
/// any GPU with tensor maps has.
static constexpr uint32_t largestCluster = 8, largestShared = 232448;
/// Of a tensor map, as cuTensorMapEncodeTiled wants them.
static constexpr uint64_t largestDimension = uint64_t(1) << 32,
                          largestStride = uint64_t(1) << 40,
                          tensorAlignment = 16;
static constexpr uint32_t largestBox = 256;

static uint64_t elementBytes(schema::ElementType type) {
  bool isWord =
      type == schema::ElementType::F32 || type == schema::ElementType::I32;
  return isWord ? 4 : 2;
}

/// What is wrong with the layout of `map` in memory, or nothing.
static std::string layoutError(const schema::TensorMap &map) {
  if (map.element() > schema::ElementType::MAX)
    return gotInstead("a known type of elements",
                      static_cast<uint64_t>(map.element()));
  for (uint64_t count : {map.columns(), map.planes()})
    if (count < 1 || count > largestDimension)
      return gotInstead("1 to 2^32 columns and planes", count);
  for (uint64_t bytes : {map.row_bytes(), map.plane_bytes(), map.offset()})
    if (bytes % tensorAlignment != 0 || bytes >= largestStride)
      return gotInstead("multiples of 16 bytes below 2^40 from one row to the "
                        "next, between planes and to the first",
                        bytes);
  if (map.columns() * elementBytes(map.element()) > map.row_bytes())
    return gotInstead("rows of " + std::to_string(map.columns()) + " elements",
                      map.row_bytes()) +
           " bytes";
  return "";
}

/// What is wrong with the boxes of `map`, or nothing.
static std::string boxError(const schema::TensorMap &map) {
  for (uint32_t size : {map.box_columns(), map.box_rows()})
    if (size < 1 || size > largestBox)
      return gotInstead("boxes of 1 to 256 columns and rows", size);
  uint64_t bytes = map.box_columns() * elementBytes(map.element());
  uint32_t swizzle = map.swizzle();
  if (swizzle != 0 && swizzle != 32 && swizzle != 64 && swizzle != 128)
    return gotInstead("a swizzle of 0, 32, 64 or 128 bytes", swizzle);
  if (bytes % tensorAlignment != 0 || (swizzle != 0 && bytes > swizzle))
    return gotInstead("rows of a box of a multiple of 16 bytes, at most those "
                      "of the swizzle",
                      bytes);
  return "";
}

bool PlanReader::readTensorMap(const schema::TensorMap &map,
                               const std::string &place, KernelPlan &kernel) {
  static_assert(static_cast<int>(ElementType::I32) ==
                    static_cast<int>(schema::ElementType::MAX),
                "the two lists of types of elements differ");
  for (const std::string &what : {layoutError(map), boxError(map)})
    if (!what.empty())
      return error(place, what);
  TensorMapPlan read;
  read.argument = map.argument();
  read.element = static_cast<ElementType>(map.element());
  read.swizzle = map.swizzle();
  read.offset = static_cast<int64_t>(map.offset());
  read.columns = static_cast<int64_t>(map.columns());
  read.planes = static_cast<int64_t>(map.planes());
  read.rowBytes = static_cast<int64_t>(map.row_bytes());
  read.planeBytes = static_cast<int64_t>(map.plane_bytes());
  read.boxColumns = map.box_columns();
  read.boxRows = map.box_rows();
  if (!readExpression(&map.rows(), place + ": rows", read.rows))
    return false;
  if (maximum(read.rows, largestStep) > static_cast<int64_t>(largestDimension))
    return error(place, "expected at most 2^32 rows in any step");
  kernel.tensorMaps.push_back(read);
  return true;
}

bool PlanReader::readGpuKernel(const schema::Kernel &kernel,
                               const std::string &place, KernelPlan &read) {
  read.threads = kernel.threads();
  read.blocks = kernel.blocks();
  read.cluster = kernel.cluster();
  read.sharedBytes = kernel.shared_bytes();
  read.waits = kernel.waits();
  if (read.threads == 0 || read.threads % warpThreads != 0 ||
      read.threads > largestBlock)
    return error(
        place, gotInstead("a multiple of 32 threads up to 1024", read.threads));
  if (read.cluster < 1 || read.cluster > largestCluster ||
      read.blocks % read.cluster != 0)
    return error(place, gotInstead("clusters of 1 to 8 blocks that divide the "
                                   "blocks",
                                   read.cluster));
  if (read.sharedBytes > largestShared)
    return error(place, gotInstead("at most 232448 bytes of shared memory",
                                   read.sharedBytes));
  if (!kernel.tensor_maps())
    return true;
  for (const schema::TensorMap *map : *kernel.tensor_maps())
    if (!charge(sizeof(schema::TensorMap), place) ||
        !readTensorMap(
            *map, place + ": " + number("tensor map", read.tensorMaps.size()),
            read))
      return false;
  return true;
}

bool PlanReader::readWork(const schema::Work &work, const std::string &place,
                          KernelPlan &read) {
  static_assert(static_cast<int>(Rows::Absorbed) ==
                    static_cast<int>(schema::Rows::MAX),
                "the two lists of rows differ");
  if (work.rows() > schema::Rows::MAX)
    return error(place, gotInstead("a known kind of rows",
                                   static_cast<uint64_t>(work.rows())));
  read.work = {static_cast<Rows>(work.rows()),
               static_cast<double>(work.bytes()),
               static_cast<double>(work.bytes_of_row()),
               static_cast<double>(work.bytes_of_position()),
               static_cast<double>(work.flops_of_row()),
               static_cast<double>(work.flops_of_pair())};
  return true;
}

bool PlanReader::readKernels(Plan &plan) {
  uint64_t codeBytes = target.code()->bytes();
  bool isGpu = target.kind() == schema::TargetKind::H100;
  for (const schema::Kernel *kernel : *target.kernels()) {
    const flatbuffers::String *configuration = kernel->configuration();
    if (!charge(kernel->name()->size() +
                    (configuration ? configuration->size() : 0),
                number("kernel", plan.kernels.size())))
      return false;
    std::string place = nameOf("kernel", *kernel->name());
    KernelPlan read;
    read.name = kernel->name()->str();
    read.entry = kernel->entry();
    if (configuration)
      read.configuration = configuration->str();
    if (kernel->work() && !readWork(*kernel->work(), place, read))
      return false;
    if (isGpu && !readGpuKernel(*kernel, place, read))
      return false;
    if (!isGpu && read.entry >= codeBytes)
      return error(place, gotInstead("an entry within the " +
                                         std::to_string(codeBytes) +
                                         " bytes of the code",
                                     read.entry));
    plan.kernels.push_back(std::move(read));
  }
  return true;
}
