// Initial values of variables.
//
// Source: PTX ISA 9.0, section 5.4.4 (initializers). Where it is silent, as on
// which types take which numbers, this follows ptxas 13.0.

#include "tools/ptxsim/ptx/ModuleParser.h"

#include <cstring>

using namespace ptxsim::ptx;

/// `= …` with the `=` taken; sets the size where the first dimension is open.
bool ModuleParser::parseInitialiser(Variable &variable,
                                    std::vector<uint64_t> dimensions) {
  if (variable.isOpaque)
    return failExpected("no initial value of a texture, sampler or surface");
  if (variable.vectorSize > 1)
    dimensions.push_back(variable.vectorSize);
  if (!dimensions.empty())
    return parseInitialList(variable, dimensions);
  return parseInitialValue(variable, 0);
}

/// Nested lists, with one level of braces for each dimension.
bool ModuleParser::parseInitialList(Variable &variable,
                                    const std::vector<uint64_t> &dimensions) {
  struct List {
    uint64_t most;       ///< Elements; 0 if that is open.
    uint64_t stride;     ///< Bytes of an element.
    uint64_t offset = 0; ///< Of the list that is open.
    uint64_t count = 0;  ///< Elements of it up to here.
  };
  std::vector<List> lists;
  for (uint64_t dimension : dimensions)
    lists.push_back({dimension, bytesOf(variable.type)});
  for (size_t i = lists.size() - 1; i-- > 0;)
    lists[i].stride = lists[i + 1].stride * lists[i + 1].most;
  size_t level = 0; // How many lists are open.
  bool atElement = true;
  do {
    List *list = level ? &lists[level - 1] : nullptr;
    if (!atElement) {
      if (accept('}'))
        --level;
      else if (!expect(',', "or '}' after an initial value"))
        return false;
      else
        atElement = true;
      continue;
    }
    bool isFull = list && list->count == list->most && list->most != 0;
    if (isFull && !token.is('}'))
      return failExpected("at most " + std::to_string(list->most) +
                          " initial values in this list");
    uint64_t offset = list ? list->offset + list->count++ * list->stride : 0;
    if (level == lists.size()) {
      if (!parseInitialValue(variable, offset))
        return false;
      atElement = false;
    } else if (!expect('{', "before the initial values of a dimension")) {
      return false;
    } else {
      lists[level].offset = offset;
      lists[level++].count = 0;
      atElement = !token.is('}');
    }
  } while (level > 0);
  if (lists[0].most != 0)
    return true;
  variable.bytes = lists[0].count * lists[0].stride;
  return variable.bytes != 0 ||
         fail(variable.location, "expected a number of elements of " +
                                     quote(variable.name) + ", got none");
}

bool ModuleParser::parseInitialValue(Variable &variable, uint64_t offset) {
  Location location = token.location;
  if (token.isName() && token.text != "WARP_SZ") {
    Relocation relocation;
    relocation.offset = offset;
    relocation.bytes = uint8_t(bytesOf(variable.type));
    bool isAddress = classOf(variable.type) != TypeClass::Float &&
                     (relocation.bytes == 4 || relocation.bytes == 8);
    if (!isAddress)
      return failExpected("a number as value of '." +
                          std::string(nameOf(variable.type)) + "'");
    return parseInitialSymbol(variable, relocation) &&
           writeInitial(variable, offset, 0, location);
  }
  Constant value;
  if (!startsConstant() && !token.is('!'))
    return failExpected("an initial value");
  if (!parseConstant(value))
    return false;
  if (token.is('(') && value.isInteger())
    return parseMaskedSymbol(variable, value, location, offset);
  return storeInitial(variable, offset, value, location);
}

/// `symbol`, `symbol + 4`, `generic(symbol)` or `generic(symbol) + 4`.
bool ModuleParser::parseInitialSymbol(Variable &variable,
                                      Relocation relocation) {
  Token name;
  if (!expectName("the name of a variable or function", name))
    return false;
  relocation.isGeneric = name.text == "generic" && accept('(');
  if (relocation.isGeneric && (!expectName("the name of a variable", name) ||
                               !expect(')', "after the variable")))
    return false;
  Symbol symbol = symbols.intern(name.text);
  const Binding *binding = symbols.find(symbol);
  if (!binding)
    return failUnknown(name, symbol);
  relocation.isFunction = binding->kind == Binding::Kind::Function;
  relocation.index = binding->index;
  bool isVariable = binding->kind == Binding::Kind::Variable &&
                    (module.variables[binding->index].space == Space::Global ||
                     module.variables[binding->index].space == Space::Constant);
  if (!isVariable && (!relocation.isFunction || relocation.isGeneric))
    return fail(name.location,
                "expected a '.global' or '.const' variable of the module" +
                    std::string(relocation.isGeneric ? "" : " or a function") +
                    ", got " + quote(name.text));
  uint64_t addend = 0;
  if (relocation.isFunction && token.is('+'))
    return failExpected("no offset from a function");
  if (accept('+') && !parseIntegerConstant("offset", addend))
    return false;
  relocation.addend = int64_t(addend);
  variable.relocations.push_back(relocation);
  return true;
}

/// The rest of `0xFF00(symbol)`: one byte of an address.
bool ModuleParser::parseMaskedSymbol(Variable &variable, const Constant &mask,
                                     Location location, uint64_t offset) {
  Relocation relocation;
  relocation.offset = offset;
  relocation.bytes = 1;
  relocation.shift = mask.bits ? uint8_t(__builtin_ctzll(mask.bits)) : 0;
  if (relocation.shift % 8 != 0 || mask.bits >> relocation.shift != 0xFF)
    return fail(location, "expected 0xFF or a multiple of it by a power of 256 "
                          "as mask, got another number");
  if (bytesOf(variable.type) != 1)
    return fail(location, "expected a mask in a variable of 8 bits, got it in "
                          "'." +
                              std::string(nameOf(variable.type)) + "'");
  advance();
  return parseInitialSymbol(variable, relocation) &&
         expect(')', "after the masked address") &&
         writeInitial(variable, offset, 0, location);
}

static double toDouble(const Constant &value) {
  double result = 0;
  if (value.kind == Constant::Kind::Float32) {
    float narrow;
    uint32_t bits = uint32_t(value.bits);
    std::memcpy(&narrow, &bits, sizeof(narrow));
    return double(narrow);
  }
  std::memcpy(&result, &value.bits, sizeof(result));
  return result;
}

static uint64_t toFloatBits(const Constant &value) {
  if (value.kind == Constant::Kind::Float32)
    return value.bits;
  float narrow = float(toDouble(value));
  uint32_t bits = 0;
  std::memcpy(&bits, &narrow, sizeof(bits));
  return bits;
}

/// Integers go to integers and bits, and lose what does not fit; floats go to
/// floats and bits of their size.
bool ModuleParser::storeInitial(Variable &variable, uint64_t offset,
                                const Constant &value, Location location) {
  TypeClass kind = classOf(variable.type);
  unsigned bytes = bytesOf(variable.type);
  bool isFloat = kind == TypeClass::Float;
  if (value.isInteger() && !isFloat) {
    // Of b128: the sign is not extended, as in ptxas.
    return writeInitial(variable, offset, value.bits, location);
  }
  bool takesFloats = variable.type == Type::F32 || variable.type == Type::F64 ||
                     (kind == TypeClass::Bits && (bytes == 4 || bytes == 8));
  bool isWidened = bytes == 8 && value.kind == Constant::Kind::Float32;
  if (!value.isInteger() && takesFloats && !isWidened)
    return writeInitial(variable, offset,
                        bytes == 4 ? toFloatBits(value) : value.bits, location);
  bool isPacked = isFloat && !takesFloats;
  std::string wanted = isPacked      ? "no initial value"
                       : isFloat     ? "a floating-point number of this size"
                       : takesFloats ? "a number of this size"
                                     : "an integer";
  return fail(location, "expected " + wanted + " for '." +
                            std::string(nameOf(variable.type)) + "', got " +
                            (value.isInteger() ? "an integer" : "a float"));
}

bool ModuleParser::writeInitial(Variable &variable, uint64_t offset,
                                uint64_t bits, Location location) {
  std::vector<uint8_t> &data = variable.initial;
  unsigned bytes = bytesOf(variable.type);
  // Values come in the order of their offsets.
  uint64_t gap = offset - data.size();
  if (gap > maxFilledBytes - filledBytes)
    return fail(location, "expected at most " + std::to_string(maxFilledBytes) +
                              " bytes that are not written between initial "
                              "values, got more");
  filledBytes += gap;
  data.resize(size_t(offset) + bytes);
  std::memcpy(data.data() + offset, &bits, std::min<size_t>(bytes, 8));
  return true;
}
