// What the names of a module mean in each scope.

#ifndef TCC_TOOLS_PTXSIM_PTX_SYMBOLS_H
#define TCC_TOOLS_PTXSIM_PTX_SYMBOLS_H

#include "tools/ptxsim/ptx/Module.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ptxsim::ptx {

class NearestName;

/// Number of a name; equal names have equal numbers.
using Symbol = uint32_t;

/// One meaning of a name.
struct Binding {
  enum class Kind : uint8_t {
    Special,       ///< `special`, `component`, `width` 4 if it has components.
    WarpSize,      ///< WARP_SZ
    Register,      ///< `.reg .b32 a`, or a used member of a range.
    Range,         ///< `.reg .b32 %r<count>`
    Variable,      ///< Module::variables[index].
    LocalVariable, ///< Function::variables[index].
    Parameter,     ///< Function::parameters[index].
    Result,        ///< Function::results[index].
    Function,      ///< Module::functions[index].
    Table,         ///< Function::branchTargets[index].
    Prototype,     ///< Function::prototypes[index].
    Targets,       ///< `.calltargets`; the first is Module::functions[index].
    Label,         ///< An instruction.
  };
  static constexpr uint32_t unused = ~uint32_t(0);

  Kind kind = Kind::Register;
  Type type = Type::None; ///< Of registers.
  uint8_t width = 0;      ///< Of vector registers: 2 or 4; else 0.
  uint8_t component = 0;
  SpecialRegister special = SpecialRegister::Tid;
  /// Of registers: in Function::registers, or `unused` until one is mentioned.
  uint32_t index = unused;
  uint32_t count = 0; ///< Of a range.
  Location location;

  uint32_t depth = 0; ///< Of its scope. This and the rest is SymbolTable's.
  Symbol symbol = 0;
  uint32_t outer = 0;       ///< The meaning that this one hides.
  uint32_t nextInScope = 0; ///< List of what the scope declares.
};

/// A stack of scopes. A lookup takes constant time whatever is nested: every
/// name knows its innermost meaning, and leaving a scope brings back what its
/// names meant before.
class SymbolTable {
public:
  /// Names of registers and of ranges of them do not meet, and a label may be
  /// called as anything else.
  enum Space : uint8_t { Names, Ranges, Labels };

  SymbolTable();

  Symbol intern(std::string_view name);
  std::string_view nameOf(Symbol symbol) const { return symbols[symbol].name; }

  /// Depth 0 has what is built in, 1 the module, 2 a function.
  uint32_t depth() const { return uint32_t(scopes.size()) - 1; }
  void enterScope();
  /// Ends the innermost scope; calls `forget(binding)` for each label of it.
  template <typename F>
  void leaveScope(F forget) {
    for (uint32_t i = scopes.back().first; i; i = bindings[i].nextInScope) {
      const Binding &binding = bindings[i];
      if (binding.kind == Binding::Kind::Label)
        forget(binding);
      Entry &entry = symbols[binding.symbol];
      entry.top[spaceOf(binding.kind)] = binding.outer;
    }
    scopes.pop_back();
  }

  /// Declares `symbol` in the scope at `depth`, which must be the innermost or
  /// one in which no deeper scope hides it.
  ///
  /// \returns the earlier meaning if that scope has one, else null.
  Binding *declare(Symbol symbol, Binding binding, uint32_t depth);
  Binding *declare(Symbol symbol, const Binding &binding) {
    return declare(symbol, binding, depth());
  }

  /// Returns what `symbol` means, or null. Special registers are found, too.
  /// The pointer holds until the next declaration or lookup.
  Binding *find(Symbol symbol);

  /// Returns the innermost range that a name like `%r12` begins with, even if
  /// it is too small; for messages.
  const Binding *findRange(Symbol symbol);

  /// Lets `nearest` see every name that means something here.
  void suggest(NearestName &nearest) const;

private:
  struct Entry {
    std::string_view name;
    uint64_t hash = 0;
    std::array<uint32_t, 3> top = {0, 0, 0};
    /// Of `%r12`: that of `%r` and 12, once it is known. 0 if there is none.
    Symbol prefix = 0;
    uint32_t number = 0;
    bool isSplit = false;
  };
  struct Scope {
    uint32_t first = 0;      ///< In `bindings`; 0 ends the list.
    uint32_t rangeDepth = 0; ///< The deepest scope with a range, up to here.
  };
  static Space spaceOf(Binding::Kind kind) {
    return kind == Binding::Kind::Label   ? Labels
           : kind == Binding::Kind::Range ? Ranges
                                          : Names;
  }
  uint32_t topOf(Symbol symbol, Space space) const {
    return symbols[symbol].top[space];
  }
  void grow();
  void split(Symbol symbol);
  uint32_t rangeAround(Symbol symbol);
  Binding *findInRanges(Symbol symbol, uint32_t exact);
  Binding *add(Symbol symbol, Binding binding, uint32_t depth);

  std::vector<Entry> symbols;
  std::vector<uint32_t> slots; ///< Open addressing; 0 is empty.
  std::vector<Binding> bindings;
  std::vector<Scope> scopes;
};

/// Finds a built-in name: a special register or WARP_SZ.
/// \returns false if there is none of this name.
bool findBuiltInName(std::string_view name, Binding &result);

/// Lets `nearest` see the built-in names that have no number.
void suggestBuiltInNames(NearestName &nearest);

} // namespace ptxsim::ptx

#endif // TCC_TOOLS_PTXSIM_PTX_SYMBOLS_H
