// Members of a JSON object with checked types and ranges.

#ifndef TCC_FRONTENDS_CHECKPOINT_JSONFIELDS_H
#define TCC_FRONTENDS_CHECKPOINT_JSONFIELDS_H

#include "frontends/checkpoint/Json.h"

namespace tcc {

/// Reads the members of one object. A member that is absent or null leaves the
/// result as it is; one of another type or out of range is BadData.
class JsonFields {
public:
  /// `place` is put before the keys in messages: "config.json: " or, for an
  /// object within, "config.json: rope_scaling.". Keeps a reference to
  /// `object`.
  JsonFields(const Json &object, std::string place)
      : object(object), place(std::move(place)) {}

  /// The member, or null if it is absent or null.
  const Json *find(const std::string &key) const;

  /// Whether the member is there, be it null.
  bool has(const std::string &key) const;

  Status integer(const std::string &key, int64_t minimum, int64_t maximum,
                 uint32_t &result) const;
  /// A finite number above zero.
  Status positive(const std::string &key, double &result) const;
  /// A finite number from zero.
  Status notNegative(const std::string &key, double &result) const;
  Status boolean(const std::string &key, bool &result) const;
  Status string(const std::string &key, std::string &result) const;

  /// BadData: "<place><key>: expected <expected>, got <value>".
  Status unexpected(const std::string &key, const std::string &expected) const;

private:
  const Json &object;
  std::string place;
};

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_JSONFIELDS_H
