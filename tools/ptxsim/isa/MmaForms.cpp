// The forms of matrix products that loaded modules use.

#include "tools/ptxsim/isa/MmaForms.h"

#include <mutex>
#include <tuple>

using namespace ptxsim;
using namespace ptxsim::isa;

static constexpr size_t capacity = 4096; ///< More than there are forms.

namespace {
struct Table {
  std::mutex mutex;
  size_t count = 0;
  MmaForm forms[capacity]; ///< Never moved, so that readers need no lock.
};
} // namespace

static Table &table() {
  static Table instance;
  return instance;
}

static auto key(const MmaForm &form) {
  return std::tie(form.kind, form.m, form.n, form.k, form.d, form.a, form.b,
                  form.c, form.saturates, form.isAnd, form.isOrdered,
                  form.aIsColumn, form.bIsRow, form.rounding);
}

uint32_t isa::internMmaForm(const MmaForm &form) {
  Table &all = table();
  std::lock_guard<std::mutex> lock(all.mutex);
  for (size_t i = 0; i < all.count; ++i)
    if (key(all.forms[i]) == key(form))
      return uint32_t(i);
  all.forms[all.count] = form;
  return uint32_t(all.count++);
}

const MmaForm &isa::mmaForm(uint32_t number) { return table().forms[number]; }
