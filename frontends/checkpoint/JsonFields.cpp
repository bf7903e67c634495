#include "frontends/checkpoint/JsonFields.h"

#include "frontends/model/Message.h"

#include <cmath>

using namespace tcc;

const Json *JsonFields::find(const std::string &key) const {
  const Json *value = findMember(object, key);
  return value && value->is_null() ? nullptr : value;
}

bool JsonFields::has(const std::string &key) const {
  return findMember(object, key) != nullptr;
}

Status JsonFields::unexpected(const std::string &key,
                              const std::string &expected) const {
  return unsupportedData(place + key + ": expected " + expected + ", got " +
                         jsonText(findMember(object, key)));
}

Status JsonFields::integer(const std::string &key, int64_t minimum,
                           int64_t maximum, uint32_t &result) const {
  const Json *value = find(key);
  if (!value)
    return {};
  // The parser makes every integer that is not negative unsigned.
  const auto *number = value->get_ptr<const Json::number_unsigned_t *>();
  if (!number || *number < static_cast<uint64_t>(minimum) ||
      *number > static_cast<uint64_t>(maximum))
    return unexpected(key, "an integer from " + std::to_string(minimum) +
                               " to " + std::to_string(maximum));
  result = static_cast<uint32_t>(*number);
  return {};
}

Status JsonFields::positive(const std::string &key, double &result) const {
  const Json *value = find(key);
  if (!value)
    return {};
  double number = value->is_number() ? value->get<double>() : 0;
  if (!std::isfinite(number) || number <= 0)
    return unexpected(key, "a number above 0");
  result = number;
  return {};
}

Status JsonFields::notNegative(const std::string &key, double &result) const {
  const Json *value = find(key);
  if (!value)
    return {};
  double number = value->is_number() ? value->get<double>() : -1;
  if (!std::isfinite(number) || number < 0)
    return unexpected(key, "a number from 0");
  result = number;
  return {};
}

Status JsonFields::boolean(const std::string &key, bool &result) const {
  const Json *value = find(key);
  if (!value)
    return {};
  if (!value->is_boolean())
    return unexpected(key, "true or false");
  result = value->get<bool>();
  return {};
}

Status JsonFields::string(const std::string &key, std::string &result) const {
  const Json *value = find(key);
  if (!value)
    return {};
  if (!value->is_string())
    return unexpected(key, "a string");
  result = value->get<std::string>();
  return {};
}
