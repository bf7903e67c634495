// Decodes a function to ops over virtual registers.

#include "tools/ptxsim/machine/Draft.h"

#include "tools/ptxsim/core/Handlers.h"

#include <algorithm>
#include <cstring>

using namespace ptxsim;
using isa::Match;
using isa::OperandRule;
using ptx::Operand;
using ptx::Space;
using ptx::Type;

/// Bytes of one lane of a register; 0 for a predicate.
static uint32_t laneBytes(Type type) {
  return type == Type::Pred ? 0 : ptx::bytesOf(type);
}

uint32_t DraftBuilder::temporary(unsigned bytes, int32_t named) {
  draft->registers.push_back({bytes, named});
  return uint32_t(draft->registers.size() - 1);
}

/// Returns the slot of 32 equal lanes of `bytes` each, or of a predicate that is
/// true or false everywhere if `bytes` is 0.
Slot DraftBuilder::constant(uint64_t bits, unsigned bytes) {
  auto [entry, inserted] = constants.try_emplace({bits, bytes}, 0);
  if (!inserted)
    return entry->second;
  std::vector<uint8_t> &storage = code.constantStorage;
  size_t offset = (storage.size() + 63) / 64 * 64;
  entry->second = Slot(offset | 0x80000000u);
  storage.resize(offset + std::max(32 * bytes, 4u));
  if (bytes == 0) {
    uint32_t mask = bits != 0 ? 0xffffffff : 0;
    std::memcpy(&storage[offset], &mask, sizeof(mask));
  }
  uint64_t value[2] = {bits, 0};
  for (unsigned lane = 0; lane < 32 && bytes != 0; ++lane)
    std::memcpy(&storage[offset + size_t(lane) * bytes], value, bytes);
  return entry->second;
}

/// Gives each variable and parameter of the frame its place in local memory.
void DraftBuilder::layOutFrame() {
  uint64_t offset = 0;
  auto place = [&](const ptx::Variable &variable) {
    uint64_t alignment = std::max<uint64_t>(variable.alignment, 1);
    offset = (offset + alignment - 1) / alignment * alignment;
    FrameVariable result{offset, variable.bytes};
    offset += variable.bytes;
    code.localAlignment = std::max(code.localAlignment, variable.alignment);
    return result;
  };
  for (const ptx::Variable &variable : function.variables) {
    bool inFrame =
        variable.space == Space::Local || variable.space == Space::Parameter;
    code.variables.push_back(inFrame ? place(variable) : FrameVariable());
  }
  if (!function.isEntry) {
    for (const ptx::Variable &parameter : function.parameters)
      code.parameters.push_back(parameter.registerIndex < 0 ? place(parameter)
                                                            : FrameVariable());
    for (const ptx::Variable &result : function.results)
      code.results.push_back(result.registerIndex < 0 ? place(result)
                                                      : FrameVariable());
  }
  uint64_t alignment = std::max<uint64_t>(code.localAlignment, 16);
  code.localBytes = (offset + alignment - 1) / alignment * alignment;
}

/// True if `operand` names something in the frame, at `offset` from its start.
bool DraftBuilder::isFrameAddress(const Operand &operand,
                                  uint64_t &offset) const {
  if (operand.kind == Operand::Kind::Variable && operand.ofFunction) {
    Space space = function.variables[operand.index].space;
    offset = code.variables[operand.index].offset;
    return space == Space::Local || space == Space::Parameter;
  }
  if (operand.kind != Operand::Kind::Parameter || function.isEntry)
    return false;
  offset = operand.ofResults ? code.results[operand.index].offset
                             : code.parameters[operand.index].offset;
  return true;
}

/// The bits of a number or of an address that is the same for all.
bool DraftBuilder::valueOf(const Operand &operand, Type type, uint64_t &bits) {
  unsigned width = std::max(ptx::bitsOf(type), 1u);
  switch (operand.kind) {
  case Operand::Kind::Integer:
    bits = operand.bits;
    break;
  case Operand::Kind::Float: {
    double value;
    std::memcpy(&value, &operand.bits, sizeof(value));
    float narrow = float(value);
    bits = operand.bits;
    if (width == 32) {
      uint32_t narrowBits;
      std::memcpy(&narrowBits, &narrow, sizeof(narrow));
      bits = narrowBits;
    }
    break;
  }
  case Operand::Kind::Float32: {
    bits = operand.bits;
    if (type == Type::F64) {
      float value;
      uint32_t narrow = uint32_t(operand.bits);
      std::memcpy(&value, &narrow, sizeof(value));
      double wide = value;
      std::memcpy(&bits, &wide, sizeof(bits));
    }
    break;
  }
  case Operand::Kind::Variable:
    if (operand.ofFunction
            ? !addresses.ofFunctionVariable(function, operand.index, bits, *message)
            : !addresses.ofVariable(operand.index, bits, *message))
      return false;
    bits += operand.bits;
    break;
  case Operand::Kind::Parameter:
    bits = addresses.ofParameter(operand.index) + operand.bits;
    break;
  case Operand::Kind::Function:
    bits = addresses.ofFunction(operand.index);
    break;
  default:
    *message = "expected a number";
    return false;
  }
  if (width < 64)
    bits &= (uint64_t(1) << width) - 1;
  return true;
}

/// Adds an op before the pending one that computes `destination`.
void DraftBuilder::emitBefore(Handler handler, uint32_t destination,
                              Slot source, uint64_t immediate,
                              OpTransfer transfer) {
  DraftOp op;
  op.op.handler = handler;
  op.op.opClass = OpClass::Move;
  op.op.flags = opHelper;
  op.op.slots[0] = Slot(destination);
  op.op.slots[1] = source;
  op.op.immediate = immediate;
  op.instruction = pending.instruction;
  op.transfer = transfer;
  op.destinations = {destination};
  if (source >= 0)
    op.sources = {uint32_t(source)};
  draft->ops.push_back(std::move(op));
}

/// Adds an op after the pending one, under its guard.
void DraftBuilder::emitAfter(Handler handler, uint32_t destination,
                             uint32_t source) {
  DraftOp op;
  op.op.handler = handler;
  op.op.opClass = OpClass::Move;
  op.op.flags = opHelper;
  op.op.slots[0] = Slot(destination);
  op.op.slots[1] = Slot(source);
  op.instruction = pending.instruction;
  op.transfer = transferOf(isa::Transfer::Move);
  op.destinations = {destination};
  op.sources = {source};
  after.push_back(std::move(op));
}

void DraftBuilder::readSpecial(const Operand &operand, uint32_t destination,
                               Type type) {
  emitBefore(isa::readSpecial(operand.special), destination, -1, 0,
             {TransferRule::Defined});
  draft->ops.back().op.modifiers = operand.component;
  draft->ops.back().op.count = uint8_t(laneBytes(type));
}

/// Adds a register, number or address as an operand of `type`.
bool DraftBuilder::addValue(const Operand &operand, Type type, bool written,
                            bool wide) {
  uint32_t bytes = laneBytes(type);
  if (operand.kind == Operand::Kind::Sink) {
    uint32_t sink = temporary(bytes);
    pending.destinations.push_back(sink);
    slots.push_back(Slot(sink));
    return true;
  }
  uint64_t offset = 0;
  if (operand.kind == Operand::Kind::Special || isFrameAddress(operand, offset)) {
    uint32_t value = temporary(bytes);
    if (operand.kind == Operand::Kind::Special) {
      readSpecial(operand, value, type);
    } else {
      emitBefore(isa::effectiveAddress(4, bytes), value, constant(0, 4),
                 offset + operand.bits, {TransferRule::Sum});
      draft->ops.back().op.flags |= opFrameLocal;
    }
    pending.sources.push_back(value);
    slots.push_back(Slot(value));
    return true;
  }
  if (operand.kind != Operand::Kind::Register) {
    uint64_t bits = 0;
    if (!valueOf(operand, type, bits))
      return false;
    slots.push_back(constant(bits, bytes));
    return true;
  }
  uint32_t reg = operand.index;
  uint32_t have = draft->registers[reg].bytes;
  if (operand.negated && !written && type == Type::Pred) {
    uint32_t inverse = temporary(0, int32_t(reg));
    emitBefore(isa::notPredicate(), inverse, Slot(reg), 0, {TransferRule::All});
    reg = inverse;
  } else if (wide && have != bytes) {
    uint32_t narrow = temporary(bytes, int32_t(reg));
    if (written)
      emitAfter(isa::resize(bytes, have, ptx::isSigned(type)), reg, narrow);
    else
      emitBefore(isa::resize(have, bytes, false), narrow, Slot(reg), 0,
                 transferOf(isa::Transfer::Move));
    reg = narrow;
  }
  (written ? pending.destinations : pending.sources).push_back(reg);
  slots.push_back(Slot(reg));
  return true;
}

/// Adds an address: as base and offset if it is the first of the instruction,
/// else as one register of 64 bits.
bool DraftBuilder::addAddress(const Operand &operand) {
  const Operand &base = function.elements[operand.firstElement];
  uint64_t offset = operand.bits, frameOffset = 0;
  Slot slot;
  unsigned bytes = 4;
  uint16_t flags = 0;
  if (isFrameAddress(base, frameOffset)) {
    offset += frameOffset + base.bits;
    slot = constant(0, 4);
    flags = opFrameLocal;
  } else if (base.kind == Operand::Kind::Register) {
    slot = Slot(base.index);
    bytes = draft->registers[base.index].bytes;
  } else {
    uint64_t bits = 0;
    if (!valueOf(base, Type::B64, bits))
      return false;
    bytes = 8;
    slot = constant(bits, bytes);
  }
  if (bytes == 8)
    flags |= opAddress64;
  if (hasAddress) {
    bool isRegister = base.kind == Operand::Kind::Register;
    uint32_t whole = temporary(8, isRegister ? int32_t(base.index) : -1);
    emitBefore(isa::effectiveAddress(bytes, 8), whole, slot, offset,
               {TransferRule::Sum});
    draft->ops.back().op.flags |= flags;
    slot = Slot(whole);
  } else {
    pending.op.immediate = offset;
    pending.op.flags |= flags;
  }
  hasAddress = true;
  if (slot >= 0) {
    pending.addresses.push_back(uint32_t(pending.sources.size()));
    pending.sources.push_back(uint32_t(slot));
  }
  slots.push_back(slot);
  return true;
}

bool DraftBuilder::addRule(const OperandRule &rule, const Match &match,
                           const Operand &operand) {
  Type type = rule.typeIndex < 4 ? match.type(rule.typeIndex) : rule.type;
  auto element = [&](uint32_t i) -> const Operand & {
    return function.elements[operand.firstElement + i];
  };
  switch (rule.kind) {
  case OperandRule::Kind::Register:
    return addValue(operand, type, rule.written, rule.wide);
  case OperandRule::Kind::Predicate:
    return addValue(operand, Type::Pred, rule.written, false);
  case OperandRule::Kind::RegisterPair:
  case OperandRule::Kind::PredicatePair: {
    if (rule.kind == OperandRule::Kind::PredicatePair)
      type = Type::Pred;
    if (operand.kind == Operand::Kind::Pair)
      return addValue(element(0), type, true, false) &&
             addValue(element(1), Type::Pred, true, false);
    if (!addValue(operand, type, true, false))
      return false;
    slots.push_back(-1);
    return true;
  }
  case OperandRule::Kind::Vector:
    if (operand.kind != Operand::Kind::Vector) {
      for (unsigned i = 0; i < (rule.repeats ? match.vectorSize : 1); ++i)
        if (!addValue(operand, type, rule.written, rule.wide))
          return false;
      return true;
    }
    for (uint32_t i = 0; i < operand.elementCount; ++i)
      if (!addValue(element(i), type, rule.written, rule.wide))
        return false;
    if (rule.alsoRead)
      for (uint32_t i = 0; i < operand.elementCount; ++i)
        if (element(i).kind == Operand::Kind::Register)
          pending.sources.push_back(element(i).index);
    return true;
  case OperandRule::Kind::Address:
    return addAddress(operand);
  case OperandRule::Kind::Tensor: {
    if (!addAddress(element(0)))
      return false;
    for (uint32_t part = 1; part < operand.elementCount; ++part) {
      const Operand &list = element(part);
      for (uint32_t i = 0; i < list.elementCount; ++i)
        if (!addValue(function.elements[list.firstElement + i],
                      part == 1 ? Type::B32 : Type::B16, false, false))
          return false;
    }
    return true;
  }
  case OperandRule::Kind::Number:
    slots.push_back(constant(operand.bits, 4));
    return true;
  case OperandRule::Kind::Label:
    pending.op.immediate = operand.index;
    return true;
  case OperandRule::Kind::Sink:
    return true;
  case OperandRule::Kind::Function:
    return addValue(operand, Type::B64, false, false);
  }
  return true;
}

/// Adds the pending op with its slots, its guard and the ops after it.
void DraftBuilder::finish(DraftOp op) {
  if (slots.size() <= 8) {
    std::copy(slots.begin(), slots.end(), op.op.slots);
  } else {
    op.op.list = uint32_t(code.lists.size());
    code.lists.insert(code.lists.end(), slots.begin(), slots.end());
  }
  auto guard = [&](DraftOp &target) {
    if (current->guard < 0)
      return;
    target.op.guard = Slot(current->guard);
    if (current->guardNegated)
      target.op.flags |= opGuardNegated;
    target.sources.push_back(uint32_t(current->guard));
  };
  guard(op);
  draft->ops.push_back(std::move(op));
  for (DraftOp &next : after) {
    guard(next);
    draft->ops.push_back(std::move(next));
  }
  after.clear();
}

/// A return reads the results that are registers.
void DraftBuilder::addResultsAsSources(DraftOp &op) const {
  for (const ptx::Variable &result : function.results)
    if (result.registerIndex >= 0)
      op.sources.push_back(uint32_t(result.registerIndex));
}

/// Adds an instruction that the table of forms describes.
bool DraftBuilder::addPlain(Match &match) {
  const ptx::Instruction &instruction = *current;
  const std::vector<OperandRule> &rules = isa::rulesOf(*match.form);
  slots.clear();
  uint64_t offset = 0;
  for (uint32_t i = 0; i < instruction.operandCount; ++i) {
    const Operand &operand = function.elements[instruction.firstOperand + i];
    if (!addRule(rules[i], match, operand))
      return false;
    bool inFrame = operand.kind == Operand::Kind::Address &&
                   isFrameAddress(function.elements[operand.firstElement], offset);
    if (inFrame || (match.space == Space::Parameter && !function.isEntry))
      match.space = Space::Local;
    pending.lastIsRegister = operand.kind == Operand::Kind::Register;
  }
  pending.op.opClass = match.form->opClass;
  pending.op.flags |= match.form->flags;
  pending.op.count = uint8_t(match.vectorSize);
  pending.transfer = transferOf(match);
  pending.op.handler = match.form->select(match, pending.op);
  if (pending.op.handler == nullptr) {
    *message = isa::refusalOf(match);
    return false;
  }
  std::string_view opcode = instruction.opcode;
  if (opcode == "ret")
    addResultsAsSources(pending);
  pending.isBranch = opcode == "bra";
  pending.endsPath = opcode == "ret" || opcode == "exit" || opcode == "trap" ||
                     opcode == "brx" || opcode == "bra";
  pending.endsPath &= instruction.guard < 0;
  if (opcode == "wgmma") {
    pending.pinsRegisters = !pending.destinations.empty();
    pending.waitsForPinned = match.has("wait_group");
  }
  finish(std::move(pending));
  return true;
}

/// The parameters of what a call names, which for several functions are alike.
static const std::vector<ptx::Variable> *
parametersOf(const ptx::Module &module, const ptx::Function &function,
             const Operand &callee, const Operand &interface) {
  if (callee.kind == Operand::Kind::Function)
    return &module.functions[callee.index].parameters;
  if (interface.kind == Operand::Kind::Function)
    return &module.functions[interface.index].parameters;
  if (interface.kind == Operand::Kind::Prototype)
    return &function.prototypes[interface.index].parameters;
  const ptx::Variable &array = interface.ofFunction
                                   ? function.variables[interface.index]
                                   : module.variables[interface.index];
  for (const ptx::Relocation &relocation : array.relocations)
    if (relocation.isFunction)
      return &module.functions[relocation.index].parameters;
  return nullptr;
}

/// Adds `call (results), function, (arguments), prototype;`. See isa::call for
/// what its list holds.
bool DraftBuilder::addCall(const ptx::Instruction &instruction) {
  const Operand *operands = &function.elements[instruction.firstOperand];
  const Operand *results = operands, *target = operands + 1;
  const Operand *arguments = operands + 2;
  slots.clear();
  bool direct = target->kind == Operand::Kind::Function;
  std::vector<Slot> list = {direct ? Slot(target->index) : -1, -1, 0, 0};
  if (!direct) {
    if (!addValue(*target, Type::B64, false, true))
      return false;
    list[1] = slots.back();
  }
  // A number has the type of its parameter.
  const std::vector<ptx::Variable> *formals =
      parametersOf(module, function, *target, operands[3]);
  auto addMove = [&](const Operand &operand, bool written, uint32_t number) {
    uint64_t offset = 0;
    if (operand.kind == Operand::Kind::Variable && isFrameAddress(operand, offset)) {
      list.insert(list.end(), {0, Slot(offset),
                               Slot(function.variables[operand.index].bytes)});
      return true;
    }
    Type type = operand.kind == Operand::Kind::Register
                    ? function.registers[operand.index].type
                : !written && formals != nullptr ? (*formals)[number].type
                                                 : Type::B64;
    if (!addValue(operand, type, written, false))
      return false;
    list.insert(list.end(), {1, slots.back(), Slot(laneBytes(type))});
    return true;
  };
  for (uint32_t i = 0; i < arguments->elementCount; ++i) {
    if (!addMove(function.elements[arguments->firstElement + i], false, i))
      return false;
    ++list[2];
  }
  for (uint32_t i = 0; i < results->elementCount; ++i) {
    if (!addMove(function.elements[results->firstElement + i], true, i))
      return false;
    ++list[3];
  }
  pending.op.handler = isa::call();
  pending.op.opClass = OpClass::Control;
  pending.op.immediate = list.size();
  pending.isCall = true;
  pending.transfer = {TransferRule::Handler, 0,
                      direct ? MustBeDefined::None : MustBeDefined::First};
  slots = std::move(list);
  slots.resize(std::max<size_t>(slots.size(), 9), -1); // Always a list.
  finish(std::move(pending));
  return true;
}

bool DraftBuilder::addInstruction(const ptx::Instruction &instruction) {
  current = &instruction;
  hasAddress = false;
  pending = DraftOp();
  pending.instruction = uint32_t(&instruction - function.instructions.data());
  if (instruction.opcode == "call")
    return addCall(instruction);
  Match match;
  if (!isa::match(module, function, instruction, match, *message))
    return false;
  return addPlain(match);
}

bool DraftBuilder::build(Draft &result, std::string &why) {
  draft = &result;
  message = &why;
  code.function = &function;
  code.lists.assign(1, -1); // So that list 0 is none.
  layOutFrame();
  for (const ptx::Register &reg : function.registers)
    draft->registers.push_back(
        {laneBytes(reg.type), int32_t(draft->registers.size())});
  for (const ptx::Instruction &instruction : function.instructions) {
    draft->firstOp.push_back(uint32_t(draft->ops.size()));
    if (!addInstruction(instruction))
      return false;
  }
  draft->firstOp.push_back(uint32_t(draft->ops.size()));
  DraftOp end;
  end.op.handler =
      function.isEntry ? isa::exitThread() : isa::returnFromFunction();
  end.op.opClass = OpClass::Control;
  end.instruction = uint32_t(function.instructions.size());
  end.endsPath = true;
  addResultsAsSources(end);
  draft->ops.push_back(std::move(end));
  for (const ptx::BranchTargets &targets : function.branchTargets) {
    code.tables.emplace_back();
    for (uint32_t target : targets.targets)
      code.tables.back().push_back(draft->firstOp[target]);
  }
  for (DraftOp &op : draft->ops)
    if (op.isBranch)
      op.op.immediate = draft->firstOp[op.op.immediate];
  return true;
}

void DraftBuilder::buildBuiltin(Draft &result, Handler handler) {
  code.function = &function;
  code.lists.assign(1, -1);
  layOutFrame();
  for (const ptx::Register &reg : function.registers)
    result.registers.push_back({laneBytes(reg.type)});
  DraftOp body;
  body.op.handler = handler;
  body.op.opClass = OpClass::Other;
  body.transfer = {TransferRule::Handler};
  result.ops.push_back(std::move(body));
  DraftOp end;
  end.op.handler = isa::returnFromFunction();
  end.op.opClass = OpClass::Control;
  end.endsPath = true;
  draft = &result;
  addResultsAsSources(end);
  result.ops.push_back(std::move(end));
}

void ptxsim::alignConstants(Code &code) {
  std::vector<uint8_t> aligned(code.constantStorage.size() + 64 + 64);
  uint64_t address = reinterpret_cast<uint64_t>(aligned.data());
  code.constants = aligned.data() + (64 - address % 64) % 64;
  std::copy(code.constantStorage.begin(), code.constantStorage.end(),
            code.constants);
  code.constantStorage = std::move(aligned);
}
