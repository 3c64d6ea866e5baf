// The fields of a RunSpec: one row each. The flag of the command line, the TOML key of a suite,
// help, the range of its values, the columns of tables and CSV, the JSON key, the attribute in
// result files, the run id and the command that repeats a run all follow from it.
//
//   const RunField& tokens = *find_run_field("tokens");
//   set_field(tokens, spec, "8K");      // spec.tokens = 8192
//   field_text(tokens, spec);           // "8K"
//
// Which names may stand in a field, as that of a cluster, is known above: harness/run/choices.h.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "harness/spec/run_spec.h"

namespace cpbench {

// A value that stands for what follows from the rest of the run.
inline constexpr const char* kAutomatic = "auto";

struct RunField {
  using Member =
      std::variant<std::string& (*)(RunSpec&), int64_t& (*)(RunSpec&), int32_t& (*)(RunSpec&),
                   uint64_t& (*)(RunSpec&), double& (*)(RunSpec&), bool& (*)(RunSpec&),
                   Mask& (*)(RunSpec&), Dtype& (*)(RunSpec&), Passes& (*)(RunSpec&)>;
  const char* name;           // TOML key, column, and flag after "--"
  const char* value_name;     // "NAME"; "SIZE" is a count that may end in K or M
  const char* help;           // one line
  const char* default_value;  // as written; "" if it must be given, or applies only with another
  Member member;
  int64_t minimum = 0, maximum = 0;  // of counts
  bool of_method = false;            // how the run is made, not what it computes
  const char* since = "";            // schema version of the first files that have it; "": all
  bool (*applies)(const RunSpec&) = nullptr;  // nullptr: unless it is an empty string
  const char* stored_as = nullptr;            // its name in files, if it has another there
  bool left_out = false;  // of files and run ids where it does not apply, as before it existed
};

const std::vector<RunField>& run_fields();
const RunField* find_run_field(const std::string& name);  // nullptr if there is none
std::vector<std::string> run_field_names();

// The value as a user would write it; "" where it has no meaning for this run.
std::string field_text(const RunField& field, const RunSpec& spec);
// Its number where it is one, for JSON; nothing otherwise.
using FieldNumber = std::variant<std::monostate, int64_t, uint64_t, double>;
FieldNumber field_number(const RunField& field, const RunSpec& spec);

// Reads a value as a user writes it. Throws UserError that says what would be right.
void set_field(const RunField& field, RunSpec& spec, const std::string& value);

// The words of a field that has a fixed list of them (mask, dtype, direction, graph); else empty.
std::vector<std::string> fixed_choices(const RunField& field);

}  // namespace cpbench
