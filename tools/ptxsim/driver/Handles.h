// Handles that can be told from garbage.
//
// A handle is no address: it is a number that is never used twice, with the
// kind of its object in its upper bits, so that a destroyed, foreign or random
// handle is found out by a look into the table.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_HANDLES_H
#define TCC_TOOLS_PTXSIM_DRIVER_HANDLES_H

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace ptxsim::driver {

/// What a handle stands for; part of its value.
enum class HandleKind : uint8_t {
  Context,
  Stream,
  Event,
  Module,
  Function,
  Library,
  Kernel,
  Graph,
  Node,
  Exec,
  Pool,
  UserObject,
  Link,
  Physical,
};

/// The live objects of one kind. Not thread-safe: the driver's lock guards it.
template <typename Object, typename Handle>
class HandleTable {
public:
  explicit HandleTable(HandleKind kind)
      : base((uint64_t(0x40) + static_cast<uint64_t>(kind)) << 40) {}

  /// Makes `object` live and tells it its handle.
  Handle insert(const std::shared_ptr<Object> &object) {
    uint64_t value = base + 16 * ++count;
    objects.emplace(value, object);
    object->handle = reinterpret_cast<Handle>(value);
    return object->handle;
  }

  /// Returns null for what is no live object of this kind.
  std::shared_ptr<Object> find(Handle handle) const {
    auto it = objects.find(reinterpret_cast<uint64_t>(handle));
    return it == objects.end() ? nullptr : it->second;
  }

  /// True if `handle` stood for an object that is gone.
  bool wasDestroyed(Handle handle) const {
    uint64_t value = reinterpret_cast<uint64_t>(handle);
    return value > base && value <= base + 16 * count && value % 16 == 0 &&
           objects.count(value) == 0;
  }

  bool erase(Handle handle) {
    return objects.erase(reinterpret_cast<uint64_t>(handle)) != 0;
  }

  /// Returns the live objects in the order of their creation.
  std::vector<std::shared_ptr<Object>> all() const {
    std::vector<std::shared_ptr<Object>> result;
    for (const auto &entry : objects)
      result.push_back(entry.second);
    return result;
  }

  size_t size() const { return objects.size(); }

private:
  std::map<uint64_t, std::shared_ptr<Object>> objects;
  uint64_t base;
  uint64_t count = 0;
};

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_HANDLES_H
