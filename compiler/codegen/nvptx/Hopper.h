// Instructions of Hopper for work that other units do meanwhile: copies of
// tiles, products of warpgroups, and what lets threads wait for them.
//
// Everything that MLIR has no op for is made here, one instruction at a time.
// Functions make no promise about who calls them beyond what PTX asks; where
// one is for all threads of a warp or of a warpgroup, it says so.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_HOPPER_H
#define TCC_COMPILER_CODEGEN_NVPTX_HOPPER_H

#include "compiler/codegen/nvptx/Emitter.h"

namespace mlir::tcc::nvptx {

/// Threads that multiply matrices together.
constexpr int64_t warpgroupThreads = 128;

/// Rows of the left operand and of the sums of one product of a warpgroup.
constexpr int64_t productRows = 64;

/// Bytes of a row of a tile whose 16-byte parts are exchanged among its rows,
/// as copies with a swizzle of 128 bytes write them and products read them.
constexpr int64_t swizzledRowBytes = 128;

/// Bytes of the 8 rows after which that pattern repeats; tiles begin at a
/// multiple.
constexpr int64_t swizzlePeriodBytes = 8 * swizzledRowBytes;

/// The blocks that an mbarrier orders.
enum class BarrierScope { Block, Cluster };

/// Sums of [64, columns] in f32: what one wgmma computes with 32 bytes of K.
///
/// Thread `t` of the warpgroup has `columns / 2` of the sums: number `i` is
/// that of row `t / 32 * 16 + i / 2 % 2 * 8 + t % 32 / 4` and column
/// `i / 4 * 8 + t % 4 * 2 + i % 2`. Registers of a left operand in registers
/// are pairs of neighbouring columns in the same places.
struct WarpgroupProduct {
  Type element;    ///< Of both operands: bf16 or f16.
  int64_t columns; ///< A multiple of 8, at most 256.
  /// Whether the right operand lies row by row as [K, columns], and not as
  /// [columns, K].
  bool rightByDepth = false;

  int64_t sums() const { return columns / 2; } ///< Of a thread.
  int64_t depth() const { return 16; }         ///< Elements of K.
};

/// Makes instructions where `emitter` makes them.
class Hopper {
public:
  explicit Hopper(Emitter &emitter)
      : emitter(emitter), builder(emitter.builder), location(emitter.location) {
  }

  //===--------------------------------------------------------------------===//
  // Threads
  //===--------------------------------------------------------------------===//

  /// The number of the warp, or of the warpgroup, in its block, in a way that
  /// lets ptxas know that it is one for the warp. For all lanes.
  Value uniformWarpNumber();
  Value uniformWarpgroupNumber();
  /// True in one lane of the warp. For all lanes.
  Value isElected();
  /// Waits for `threads` threads, whole warps, at barrier `number`, 1 to 15.
  void namedBarrier(int64_t number, int64_t threads);
  /// The same of barrier `number`, an i32; ptxas then keeps all of them.
  void namedBarrier(Value number, int64_t threads);
  /// Counts at it, and does not wait. For all threads of a warp.
  void arriveAtNamedBarrier(Value number, int64_t threads);
  /// Changes the registers that threads have, a multiple of 8 from 24 to 256.
  /// For all warps of a warpgroup.
  void giveUpRegisters(int64_t remaining);
  void takeRegisters(int64_t total);

  //===--------------------------------------------------------------------===//
  // Clusters and grids
  //===--------------------------------------------------------------------===//

  Value clusterRank(); ///< Of this block.
  /// Where the shared memory at `pointer` is in block `rank` of the cluster.
  Value inBlock(Value pointer, Value rank);
  /// Waits for all threads of the cluster, and orders their accesses of
  /// memory. For all threads of a warp.
  void clusterBarrier();
  /// Waits until the grids before this one are done. Nothing that they write
  /// may be read before.
  void waitForGridsBefore();
  /// Lets the grid after this one start when all blocks have said so.
  void letNextGridStart();

  //===--------------------------------------------------------------------===//
  // Barriers in shared memory
  //===--------------------------------------------------------------------===//

  /// Makes a barrier of the 8 bytes at `barrier`, whose phases end after
  /// `arrivals` and the bytes that are expected.
  void initializeBarrier(Value barrier, int64_t arrivals);
  /// Lets copies and blocks of the cluster know barriers that this thread has
  /// initialized. Other threads also need a barrier of the block or cluster.
  void publishBarriers();
  void arrive(Value barrier);
  void arriveInBlock(Value barrier, Value rank);
  /// Arrives where `condition` is true, without a branch: one between products
  /// keeps ptxas from leaving them in flight.
  void arriveWhere(Value condition, Value barrier);
  /// Arrives, and makes the phase last until `bytes` bytes more are copied.
  void arriveExpecting(Value barrier, Value bytes);
  /// Waits for the end of a phase, the first and every second one after it if
  /// `parity`, an i32, is 0, the others if it is 1.
  void waitFor(Value barrier, Value parity,
               BarrierScope scope = BarrierScope::Block);

  //===--------------------------------------------------------------------===//
  // Copies of tiles
  //===--------------------------------------------------------------------===//

  /// Fetches what is in a tensor map at `map`. One thread is enough for this
  /// and each of the functions below.
  void prefetchTensorMap(Value map);
  /// Copies the box of `map` at `coordinates`, i32, the fastest first, to
  /// shared memory at `shared`; its bytes arrive at `barrier`.
  void loadTile(Value map, ValueRange coordinates, Value shared, Value barrier);
  /// The same to all blocks of the cluster whose bits are in `blocks`, an i16:
  /// to the same place and barrier in each.
  void loadTileForBlocks(Value map, ValueRange coordinates, Value shared,
                         Value barrier, Value blocks);
  /// Copies from shared memory; elements beyond the tensor are left out.
  void storeTile(Value map, ValueRange coordinates, Value shared);
  /// Ends a group of such copies of this thread.
  void commitStores();
  /// Waits until all but the last `groups` of them have read shared memory, or
  /// have been written.
  void waitUntilStoresRead(int64_t groups);
  void waitForStores(int64_t groups);
  /// Orders the accesses of shared memory of this thread before copies and
  /// products that begin later.
  void fenceSharedForCopies();

  //===--------------------------------------------------------------------===//
  // Products of warpgroups. For all threads of one.
  //===--------------------------------------------------------------------===//

  /// Describes an operand at `shared` in swizzled rows of 128 bytes, whose
  /// first 8 rows begin at a multiple of 1024: as [rows, K] with rows of 64
  /// elements of K.
  Value describeTile(Value shared);
  /// The same of one that lies by depth, with rows of 64 columns; the next 64
  /// columns are `columnsBytes` further.
  Value describeTileByDepth(Value shared, int64_t columnsBytes);
  /// The descriptor of what is `bytes` bytes further.
  Value advance(Value descriptor, int64_t bytes);

  /// A copy of `descriptor`, from which LLVM cannot make those of all steps
  /// before a loop: they would take registers all the time.
  Value copyDescriptor(Value descriptor);

  /// Orders accesses of registers before products that begin later: before
  /// the first of several, and after other changes of their sums or operands.
  void fenceProducts();
  /// The same; `registers`, f32 or i32, are what these products take. The
  /// results are to be used in their place: what makes them comes before then.
  SmallVector<Value> fenceProducts(ValueRange registers);
  /// Adds the product of two operands to `sums`, f32, or begins with it where
  /// `accumulate`, an i1, is false. Results are there after a wait.
  SmallVector<Value> multiply(const WarpgroupProduct &product, Value left,
                              Value right, Value accumulate, ValueRange sums);
  /// The same with a left operand in four registers of i32, which must pass
  /// through the next wait: else LLVM takes them for something else meanwhile.
  SmallVector<Value> multiplyRegisters(const WarpgroupProduct &product,
                                       ValueRange left, Value right,
                                       Value accumulate, ValueRange sums);
  /// Ends a group of products.
  void commitProducts();
  /// Waits for all groups but the last `groups`. `registers`, f32 or i32, are
  /// sums and operands of the ones that are awaited; the results are to be
  /// used in their place.
  SmallVector<Value> waitForProducts(int64_t groups, ValueRange registers);

  //===--------------------------------------------------------------------===//
  // Pairs of 16 bits
  //===--------------------------------------------------------------------===//

  /// Rounds two f32 to `element`, bf16 or f16, in one i32, `low` in its low
  /// half.
  Value packPair(Type element, Value low, Value high);
  /// Stores one, two or four registers of [8, 8] elements of 16 bits; lane
  /// `8 * i + r` says where row `r` of number `i` begins. For all lanes.
  void storeMatrices(ValueRange registers, Value shared);

private:
  SmallVector<Value> assemble(const Twine &text, StringRef constraints,
                              TypeRange results, ValueRange operands);
  SmallVector<Value> multiply(const WarpgroupProduct &product, StringRef type,
                              ValueRange left, Value right, Value accumulate,
                              ValueRange sums);

  Emitter &emitter;
  OpBuilder &builder;
  const Location location;
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_HOPPER_H
