// Texts for the parser's tests, and what it makes of them as text.

#ifndef TCC_TEST_UNIT_PTXSIM_PTX_PARSETEXT_H
#define TCC_TEST_UNIT_PTXSIM_PTX_PARSETEXT_H

#include "tools/ptxsim/ptx/Parser.h"

#include <string>
#include <string_view>

namespace ptxsim::ptx {

/// Parses `statements` below a header of three lines; fails the test and
/// returns an empty module if there is an error.
std::unique_ptr<Module> parseModule(std::string_view statements);

/// Parses `statements` as the body of a kernel `k(.param .u64 a, .param .align
/// 8 .b8 s[16])` with registers %p<8>, %rs<8>, %r<8>, %rd<8>, %f<8> and %d<8>.
/// The first of them is in line 7.
std::unique_ptr<Module> parseBody(std::string_view statements);

/// The errors of such a module or body, each as "line:column: message", with
/// newlines between them.
std::string errorsOf(std::string_view statements);
std::string errorsOfBody(std::string_view statements);

/// The errors of a whole text.
std::string errorsOfText(std::string_view text);

/// The last function of the module.
const Function &lastFunction(const Module &module);

/// What the operands of an instruction are, as in "%r1, [%rd1 + 4], param a".
std::string operandsOf(const Module &module, const Function &function,
                       const Instruction &instruction);

/// The operands of the only or last instruction of a body.
std::string operandsOf(std::string_view statements);

/// Names and types of the registers that a function mentions.
std::string registersOf(const Function &function);

} // namespace ptxsim::ptx

#endif // TCC_TEST_UNIT_PTXSIM_PTX_PARSETEXT_H
