// Values and tables in HDF5. A table is a list of structs of named fields (named_fields.h): a group
// with one dataset for each field. Integers are int64, enumerations uint8.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "harness/plan/names.h"
#include "harness/store/hdf5_file.h"
#include "harness/store/named_fields.h"

namespace cpbench {

template <typename Value>
using StoredAs = std::conditional_t<std::is_enum_v<Value>, uint8_t,
                                    std::conditional_t<std::is_integral_v<Value>, int64_t, Value>>;

// The value that element `index` of the dataset stores. Throws UserError if it does not fit.
template <typename Value>
Value value_of(const Hdf5Reader& file, const std::string& path, size_t index,
               StoredAs<Value> stored) {
  if constexpr (!std::is_floating_point_v<Value>) {
    int64_t least = 0, most = 0;
    if constexpr (std::is_same_v<Value, Activity>) {
      most = static_cast<int64_t>(kLastActivity);
    } else if constexpr (std::is_enum_v<Value>) {
      most = std::ssize(enum_names<Value>()) - 1;
    } else {
      least = std::numeric_limits<Value>::min();
      most = std::numeric_limits<Value>::max();
    }
    if (stored < least || stored > most) {
      file.fail(
          fmt::format("{}[{}] is {}; must be from {} to {}", path, index, stored, least, most));
    }
  }
  return static_cast<Value>(stored);
}

// An attribute with a whole number from `least` to `most`, and one with a word of an enumeration.
// Both throw UserError for anything else.
inline int64_t integer_attribute(const Hdf5Reader& file, const std::string& object,
                                 const std::string& name, int64_t least, int64_t most) {
  const std::string text = file.attribute(object, name);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    file.fail(fmt::format("{}@{} is '{}'; must be a whole number from {} to {}", object, name, text,
                          least, most));
  }
  return value;
}

template <typename Enum>
Enum named_attribute(const Hdf5Reader& file, const std::string& object, const std::string& name) {
  const std::string text = file.attribute(object, name);
  const std::optional<Enum> value = enum_named<Enum>(text);
  if (!value) {
    file.fail(fmt::format("{}@{} is '{}'; must be one of {}", object, name, text,
                          fmt::join(enum_names<Enum>(), ", ")));
  }
  return *value;
}

// The group must not exist yet.
template <typename Row>
void write_table(Hdf5Writer& file, const std::string& group, const std::vector<Row>& rows) {
  file.group(group);
  for_each_column<Row>([&](auto column, const std::string& name) {
    using Value = std::remove_cvref_t<decltype(field_of<const Row, column>(rows.front()))>;
    std::vector<StoredAs<Value>> values;
    values.reserve(rows.size());
    for (const Row& row : rows) {
      values.push_back(static_cast<StoredAs<Value>>(field_of<const Row, column>(row)));
    }
    file.write(group + "/" + name, values, {std::ssize(rows)}, units_of(name));
  });
}

// Throws UserError for a column that is missing, has another length than the first one, or has a
// value that does not fit its field.
template <typename Row>
std::vector<Row> read_table(const Hdf5Reader& file, const std::string& group) {
  std::vector<Row> rows;
  int64_t length = kAnyLength;  // until the first column is read
  for_each_column<Row>([&](auto column, const std::string& name) {
    using Value = std::remove_cvref_t<decltype(field_of<Row, column>(rows.front()))>;
    const std::string path = group + "/" + name;
    const auto values = file.read<StoredAs<Value>>(path, {length});
    length = std::ssize(values);
    rows.resize(values.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      field_of<Row, column>(rows[i]) = value_of<Value>(file, path, i, values[i]);
    }
  });
  return rows;
}

}  // namespace cpbench
