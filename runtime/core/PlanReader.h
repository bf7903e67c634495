// Turns one target of a manifest into a plan, checking everything on the way.
// Used by Manifest.cpp only.

#ifndef TCC_RUNTIME_CORE_PLANREADER_H
#define TCC_RUNTIME_CORE_PLANREADER_H

#include "runtime/core/Plan.h"
#include "runtime/schema/Executable_generated.h"

#include <string>

namespace tcc::rt {

/// How much may still be copied out of a manifest. A FlatBuffer's tables may
/// share their parts, so that a small file could stand for any amount.
class CopyBudget {
public:
  explicit CopyBudget(uint64_t bytes) : left(bytes) {}

  /// Takes `bytes`; false if there are not as many.
  bool take(uint64_t bytes) {
    bool enough = bytes <= left;
    left -= enough ? bytes : left;
    return enough;
  }

private:
  uint64_t left;
};

class PlanReader {
public:
  /// \param budget Bytes of the manifest that no plan has taken yet.
  PlanReader(const schema::Executable &executable, const schema::Target &target,
             CopyBudget &budget)
      : executable(executable), target(target), budget(budget) {}

  /// Reads the target into `plan`. If something is wrong, returns false and
  /// `message()` says what was expected and what came.
  bool read(Plan &plan);

  const std::string &message() const { return text; }

private:
  bool readSizes(Plan &plan);
  bool readKernels(Plan &plan);
  /// Reads into `read` how a GPU launches `kernel`.
  bool readWork(const schema::Work &work, const std::string &place,
                KernelPlan &read);
  bool readGpuKernel(const schema::Kernel &kernel, const std::string &place,
                     KernelPlan &read);
  bool readTensorMap(const schema::TensorMap &map, const std::string &place,
                     KernelPlan &kernel);
  bool readBuffers(Plan &plan);
  bool readWeights(Plan &plan);
  bool readCaches(Plan &plan);
  bool readRotaryTables(Plan &plan);
  bool readSteps(Plan &plan);
  /// Reads `table` into `step`, which is a part of `plan`.
  bool readStep(const schema::StepPlan &table, const std::string &place,
                const Plan &plan, StepPlan &step);
  bool readResults(const schema::StepPlan &table, const std::string &place,
                   const Plan &plan, StepPlan &step);
  bool readExpansion(const schema::StepPlan &table, const std::string &place,
                     StepPlan &step);
  bool readEntry(const schema::StepEntry &entry, const std::string &place,
                 const Plan &plan, StepPlan &step);
  bool readLoop(const schema::Loop &loop, const std::string &place,
                const Plan &plan, StepPlan &step);
  bool readLaunch(const schema::Launch &launch, const std::string &place,
                  const Plan &plan, const StepPlan &step, SectionPlan &section);
  bool readArgument(const schema::Argument &argument, const std::string &place,
                    const Plan &plan, const StepPlan &step,
                    const SectionPlan &section, LaunchPlan &result);
  /// Checks that buffer `index` exists and lies within the arena of `step`.
  bool checkBuffer(uint32_t index, const std::string &place, const Plan &plan,
                   const StepPlan &step);
  /// Checks that buffer `index` of `step` holds `needed` bytes in any step.
  bool checkResult(uint32_t index, const Expression &needed,
                   const std::string &place, const Plan &plan,
                   const StepPlan &step);
  bool checkLayers(const ArgumentPlan &argument, const std::string &place,
                   const Plan &plan, const SectionPlan &section);
  bool readExpression(const schema::Expression *expression,
                      const std::string &place, Expression &result);
  /// Takes one table and `bytes` that it points at from the budget.
  bool charge(uint64_t bytes, const std::string &place);
  /// Remembers the message of the one error and returns false.
  bool error(const std::string &place, const std::string &what);

  const schema::Executable &executable;
  const schema::Target &target;
  CopyBudget &budget;
  std::string text;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_PLANREADER_H
