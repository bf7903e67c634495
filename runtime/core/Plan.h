// The plan of a model as the executor reads it: what model.bin says, checked,
// without FlatBuffers.
//
// Letters: T new tokens of a step, B its sequences, R the rows whose logits are
// asked for; X the tokens and E the sequences that are computed in expanded
// form, which come first, and A = T - X the tokens of the others.

#ifndef TCC_RUNTIME_CORE_PLAN_H
#define TCC_RUNTIME_CORE_PLAN_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tcc::rt {

/// The sizes of one step: 1 <= sequences <= tokens, 0 <= logitRows <= tokens,
/// 0 <= expandedSequences <= sequences,
/// expandedSequences <= expandedTokens <= tokens.
struct StepSizes {
  int64_t tokens = 0;
  int64_t sequences = 0;
  int64_t logitRows = 0;
  int64_t expandedTokens = 0;
  int64_t expandedSequences = 0;
};

/// How large steps may be; any of them may be computed in either form.
struct StepLimits {
  int64_t tokens = 0;
  int64_t sequences = 0;
  int64_t logitRows = 0;
  int64_t pages = 1; ///< Of one sequence; below 2^31.
};

/// The largest step that any plan is checked for. With coefficients up to
/// `coefficientLimit`, no sum or difference of three expressions can overflow.
constexpr StepLimits largestStep = {1 << 20, 1 << 20, 1 << 20};
constexpr int64_t coefficientLimit = int64_t(1) << 39;

/// The coefficients of a sum of sizes; the constant's size is 1.
struct Expression {
  int64_t constant = 0;
  int64_t tokens = 0;
  int64_t sequences = 0;
  int64_t logitRows = 0;
  int64_t expandedTokens = 0;
  int64_t absorbedTokens = 0;
  int64_t expandedSequences = 0;

  int64_t evaluate(const StepSizes &step) const {
    return constant + tokens * step.tokens + sequences * step.sequences +
           logitRows * step.logitRows + expandedTokens * step.expandedTokens +
           absorbedTokens * (step.tokens - step.expandedTokens) +
           expandedSequences * step.expandedSequences;
  }
};

Expression operator-(const Expression &left, const Expression &right);

/// The least value of `expression` over all steps up to `limits`.
int64_t minimum(const Expression &expression, const StepLimits &limits);

/// The greatest value of `expression` over all steps up to `limits`.
int64_t maximum(const Expression &expression, const StepLimits &limits);

/// A range of bytes of the arena, at a multiple of 64.
struct BufferPlan {
  Expression offset;
  Expression bytes;
};

/// Equal tensors for `layers` layers from `firstLayer`, in bytes from the start
/// of the weights.
struct WeightPlan {
  int64_t firstLayer = 0;
  int64_t layers = 1;
  int64_t offset = 0;
  int64_t stride = 0;
  int64_t bytes = 0; ///< Of one layer.
};

/// A paged cache: `layers` times the pages, each of `pageBytes` for
/// `pageTokens` positions of one sequence. All caches of a plan have equal
/// `pageTokens`.
struct CachePlan {
  int64_t layers = 0;
  int64_t pageTokens = 0;
  int64_t pageBytes = 0;
  bool latent = false; ///< A value is a part of its key.
};

/// table[t][j] = multiplier * {cos, sin}(position[t] * inverseFrequencies[j]).
struct RotaryPlan {
  std::vector<double> inverseFrequencies;
  double multiplier = 1;
};

/// What an argument points at; the same list as schema::ArgumentKind.
enum class ArgumentKind : uint8_t {
  Buffer,
  Weight,
  CacheLayer,
  Tokens,
  Positions,
  Sequences,
  LogitRows,
  PageTable,
  RotaryTable,
  States,
  Sampling,
};

struct ArgumentPlan {
  ArgumentKind kind = ArgumentKind::Buffer;
  uint32_t index = 0;
};

/// One call of a kernel, split over the threads by tiles.
struct LaunchPlan {
  uint32_t kernel = 0;
  std::vector<ArgumentPlan> arguments;
  Expression tiles;
  Expression scratch;   ///< Bytes for each thread.
  bool samples = false; ///< It is for steps that choose tokens.
};

/// Launches that run in order, once for each layer; a launch outside any loop
/// is a section of one layer that uses neither caches nor weights of layers.
struct SectionPlan {
  bool isLoop = false;
  int64_t firstLayer = 0;
  int64_t layers = 1;
  std::vector<LaunchPlan> launches;
};

/// Types of elements; the same list as schema::ElementType.
enum class ElementType : uint8_t { F32, F16, BF16, I32 };

/// Matrices of an argument of a kernel of a GPU, and the boxes of them that one
/// copy moves.
struct TensorMapPlan {
  uint32_t argument = 0;
  ElementType element = ElementType::F32;
  uint8_t swizzle = 0;
  int64_t offset = 0; ///< Bytes from where the argument begins.
  int64_t columns = 1;
  Expression rows;
  int64_t planes = 1;
  int64_t rowBytes = 16, planeBytes = 16; ///< From one to the next.
  uint32_t boxColumns = 1, boxRows = 1;
};

/// Which rows of a step a kernel computes; the same list as schema::Rows.
enum class Rows : uint8_t { Tokens, LogitRows, Expanded, Absorbed };

/// What a launch of a kernel moves and computes: see schema::Work.
struct WorkPlan {
  Rows rows = Rows::Tokens;
  double bytes = 0, bytesOfRow = 0, bytesOfPosition = 0;
  double flopsOfRow = 0, flopsOfPair = 0;
};

struct KernelPlan {
  std::string name;
  uint64_t entry = 0; ///< Bytes from the start of the code; on x86-64 only.
  std::string configuration;
  // On a GPU only.
  uint32_t threads = 0;     ///< Of a block.
  uint32_t blocks = 0;      ///< The most of a launch; 0: as many as tiles.
  uint32_t cluster = 1;     ///< Blocks of a cluster.
  uint32_t sharedBytes = 0; ///< Of a block, beyond what the code declares.
  std::vector<TensorMapPlan> tensorMaps = {};
  bool waits = false; ///< It may begin while the launch before still runs.
  std::optional<WorkPlan> work = {}; ///< On any device; absent: unknown.
};

/// When expanded form is cheaper than absorbed form: what one position costs to
/// expand, and what each pair of query and key then saves.
struct Expansion {
  uint64_t pairSaving = 0;
  uint64_t expansionCost = 0;
  /// The form of a prompt is chosen for each chunk of so many positions, so
  /// that it does not depend on how the prompt is cut into steps.
  int64_t chunk = 1;

  /// Whether `count` new tokens of a sequence are expanded after `cached` ones.
  /// Both lie below 2^31.
  bool isCheaper(int64_t count, int64_t cached) const {
    auto n = static_cast<unsigned __int128>(count);
    auto p = static_cast<unsigned __int128>(cached);
    return pairSaving * (n * p + n * (n + 1) / 2) > expansionCost * p;
  }
};

/// What runs in one step, in order.
struct StepPlan {
  std::vector<SectionPlan> sections;
  Expression arenaBytes;
  uint32_t logits = 0; ///< The buffer of f32 [R][vocabulary] after the step.
  /// The buffer of f32 [T][hiddenSize] after the step: what a prediction reads.
  std::optional<uint32_t> states;
  std::optional<Expansion> expansion; ///< Absent: always in absorbed form.
  /// The buffer of i32 [R] after a step that chooses tokens, as
  /// schema::StepPlan has it; absent: the host chooses.
  std::optional<uint32_t> samples;
};

/// Everything the executor needs to know. A plan from `readManifest` keeps
/// every index, offset and size within its bounds for all steps up to
/// `largestStep`.
struct Plan {
  int64_t vocabulary = 0;
  int64_t maxPositions = 0;
  int64_t hiddenSize = 0; ///< Of states.
  std::vector<KernelPlan> kernels;
  std::vector<BufferPlan> buffers;
  std::vector<WeightPlan> weights;
  std::vector<CachePlan> caches;
  std::vector<RotaryPlan> rotaryTables;
  StepPlan step;
  /// Multi-token prediction: takes for each position the state that `step` left
  /// there and the token after it; both steps have states then.
  std::optional<StepPlan> prediction;

  /// Whether a step or a prediction may be in expanded form.
  bool hasTwoForms() const {
    return step.expansion || (prediction && prediction->expansion);
  }
  /// Positions of one sequence in a page, or 0 if the plan has no cache.
  int64_t pageTokens() const {
    return caches.empty() ? 0 : caches.front().pageTokens;
  }
  /// Bytes of one page in all layers of all caches.
  int64_t pageBytesOfAllLayers() const;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_PLAN_H
