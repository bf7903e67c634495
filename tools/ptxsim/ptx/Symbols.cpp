// What the names of a module mean in each scope.

#include "tools/ptxsim/ptx/Symbols.h"

#include "tools/ptxsim/ptx/Diagnostics.h"

#include <functional>

using namespace ptxsim::ptx;

SymbolTable::SymbolTable() : symbols(1), slots(1024), bindings(1), scopes(2) {}

void SymbolTable::grow() {
  std::vector<uint32_t> larger(slots.size() * 2);
  for (Symbol symbol = 1; symbol < symbols.size(); ++symbol) {
    size_t slot = symbols[symbol].hash & (larger.size() - 1);
    while (larger[slot])
      slot = (slot + 1) & (larger.size() - 1);
    larger[slot] = symbol;
  }
  slots = std::move(larger);
}

Symbol SymbolTable::intern(std::string_view name) {
  uint64_t hash = std::hash<std::string_view>()(name);
  size_t slot = hash & (slots.size() - 1);
  while (Symbol symbol = slots[slot]) {
    const Entry &entry = symbols[symbol];
    if (entry.hash == hash && entry.name == name)
      return symbol;
    slot = (slot + 1) & (slots.size() - 1);
  }
  Symbol symbol = Symbol(symbols.size());
  symbols.emplace_back();
  symbols.back().name = name;
  symbols.back().hash = hash;
  slots[slot] = symbol;
  if (symbols.size() * 2 > slots.size())
    grow();
  return symbol;
}

void SymbolTable::enterScope() {
  uint32_t rangeDepth = scopes.back().rangeDepth;
  scopes.emplace_back();
  scopes.back().rangeDepth = rangeDepth;
}

Binding *SymbolTable::add(Symbol symbol, Binding binding, uint32_t depth) {
  uint32_t &top = symbols[symbol].top[spaceOf(binding.kind)];
  binding.depth = depth;
  binding.symbol = symbol;
  binding.outer = top;
  binding.nextInScope = scopes[depth].first;
  top = scopes[depth].first = uint32_t(bindings.size());
  bindings.push_back(binding);
  return &bindings.back();
}

Binding *SymbolTable::declare(Symbol symbol, Binding binding, uint32_t depth) {
  uint32_t top = topOf(symbol, spaceOf(binding.kind));
  if (top && bindings[top].depth == depth)
    return &bindings[top];
  if (binding.kind == Binding::Kind::Range)
    scopes.back().rangeDepth = depth;
  else if (binding.kind != Binding::Kind::Label)
    if (uint32_t range = rangeAround(symbol);
        range && bindings[range].depth == depth)
      return &bindings[range];
  add(symbol, binding, depth);
  return nullptr;
}

/// Finds the number at the end of the name, as in `%r12`. Ranges have no
/// members with leading zeros, and none of ten digits.
void SymbolTable::split(Symbol symbol) {
  std::string_view name = symbols[symbol].name;
  symbols[symbol].isSplit = true;
  size_t digits = 0;
  while (digits < name.size() && name[name.size() - 1 - digits] >= '0' &&
         name[name.size() - 1 - digits] <= '9')
    ++digits;
  size_t start = name.size() - digits;
  if (digits == 0 || digits > 9 || start == 0 ||
      (name[start] == '0' && digits > 1))
    return;
  uint32_t number = 0;
  for (char c : name.substr(start))
    number = number * 10 + uint32_t(c - '0');
  Symbol prefix = intern(name.substr(0, start));
  symbols[symbol].prefix = prefix;
  symbols[symbol].number = number;
}

/// Looks for a range that is declared in a deeper scope than the meaning
/// `exact`, and makes its member a binding of the range's scope.
Binding *SymbolTable::findInRanges(Symbol symbol, uint32_t exact) {
  uint32_t range = rangeAround(symbol);
  if (range && bindings[range].depth > bindings[exact].depth) {
    Binding member = bindings[range];
    member.kind = Binding::Kind::Register;
    member.count = 0;
    return add(symbol, member, member.depth);
  }
  return exact ? &bindings[exact] : nullptr;
}

/// Returns the innermost range that has `symbol` as member, or 0.
uint32_t SymbolTable::rangeAround(Symbol symbol) {
  if (!symbols[symbol].isSplit)
    split(symbol);
  uint32_t prefix = symbols[symbol].prefix, number = symbols[symbol].number;
  uint32_t range = prefix ? topOf(prefix, Ranges) : 0;
  while (range && number >= bindings[range].count)
    range = bindings[range].outer;
  return range;
}

Binding *SymbolTable::find(Symbol symbol) {
  uint32_t top = topOf(symbol, Names);
  if (top && bindings[top].depth >= scopes.back().rangeDepth)
    return &bindings[top];
  if (Binding *binding = findInRanges(symbol, top))
    return binding;
  Binding binding;
  if (findBuiltInName(symbols[symbol].name, binding))
    return add(symbol, binding, 0);
  return nullptr;
}

const Binding *SymbolTable::findRange(Symbol symbol) {
  if (!symbols[symbol].isSplit)
    split(symbol);
  Symbol prefix = symbols[symbol].prefix;
  uint32_t range = prefix ? topOf(prefix, Ranges) : 0;
  return range ? &bindings[range] : nullptr;
}

void SymbolTable::suggest(NearestName &nearest) const {
  for (const Entry &entry : symbols)
    if (entry.top[Names])
      nearest.consider(entry.name);
  suggestBuiltInNames(nearest);
}
