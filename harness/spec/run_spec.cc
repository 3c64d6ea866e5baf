#include "harness/spec/run_spec.h"

#include <fmt/format.h>

#include <charconv>

#include "harness/plan/errors.h"
#include "harness/plan/names.h"
#include "harness/plan/problem_fields.h"
#include "harness/plan/shown.h"
#include "harness/plan/text_hash.h"
#include "harness/spec/run_fields.h"

namespace cpbench {
namespace {

// So that no value can look like a separator or a second line.
std::string escaped(const std::string& text, const std::string& special = "") {
  std::string out;
  for (char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || special.find(c) != std::string::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string unescaped(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
    } else {
      ++i;
      out += text[i] == 'n' ? '\n' : text[i];
    }
  }
  return out;
}

// Position of `wanted` outside escapes, from `start`; the end if there is none.
size_t find_plain(const std::string& text, char wanted, size_t start) {
  for (size_t i = start; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == wanted) {
      return i;
    }
  }
  return text.size();
}

std::map<std::string, std::string> options_of(const std::string& text) {
  std::map<std::string, std::string> options;
  for (size_t start = 0; start < text.size();) {
    const size_t end = find_plain(text, ',', start);
    const std::string item = text.substr(start, end - start);
    const size_t equals = find_plain(item, '=', 0);
    if (equals == item.size()) {
      throw UserError("options is '" + shown(text) + "'; must be name=value,...");
    }
    options[unescaped(item.substr(0, equals))] = unescaped(item.substr(equals + 1));
    start = end + 1;
  }
  return options;
}

template <typename Value>
std::string stored_text(const Value& value) {
  if constexpr (std::is_same_v<Value, std::string>) {
    return escaped(value);
  } else if constexpr (std::is_same_v<Value, bool>) {
    return value ? "on" : "off";
  } else if constexpr (std::is_enum_v<Value>) {
    return name_of(value);
  } else {
    return fmt::format("{}", value);  // of a double the shortest text that reads back to it
  }
}

template <typename Value>
bool read_stored(const std::string& text, Value& value) {
  if constexpr (std::is_same_v<Value, std::string>) {
    value = unescaped(text);
    return true;
  } else if constexpr (std::is_same_v<Value, bool>) {
    value = text == "on";
    return value || text == "off";
  } else if constexpr (std::is_enum_v<Value>) {
    const auto found = enum_named<Value>(text);
    value = found.value_or(value);
    return found.has_value();
  } else {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  }
}

// All fields but the options, each once: visit(name in files, value, since).
template <typename Visit>
void visit_stored(RunSpec& spec, Visit visit) {
  for (const RunField& field : run_fields()) {
    const char* name = field.stored_as != nullptr ? field.stored_as : field.name;
    std::visit([&](auto member) { visit(name, member(spec), *field.since != '\0'); }, field.member);
  }
  visit_fields(spec.shape, [&](const std::string& name, auto& value) {
    if (name != "dtype") visit(name, value, may_be_missing(name));  // it is a field of its own
  });
  visit("masks", spec.masks, true);
  visit("inputs", spec.inputs, true);
}

}  // namespace

std::map<std::string, std::string> stored_fields(const RunSpec& spec) {
  std::map<std::string, std::string> fields = {{"options", options_text(spec.options)}};
  RunSpec copy = spec;
  visit_stored(copy, [&](const std::string& name, const auto& value, bool) {
    fields[name] = stored_text(value);
  });
  for (const RunField& field : run_fields()) {
    if (field.left_out && field_text(field, spec).empty()) fields.erase(field.name);
  }
  // As before these fields existed, where they have their defaults.
  visit_fields(spec.shape, [&](const std::string& name, const auto& value) {
    if (may_be_missing(name) && value == std::remove_cvref_t<decltype(value)>{}) fields.erase(name);
  });
  return fields;
}

RunSpec spec_of(const std::map<std::string, std::string>& fields) {
  RunSpec spec;
  const auto options = fields.find("options");
  if (options == fields.end()) throw UserError("options is missing");
  spec.options = options_of(options->second);
  visit_stored(spec, [&](const std::string& name, auto& value, bool may_be_missing) {
    const auto found = fields.find(name);
    if (found == fields.end()) {
      if (may_be_missing) return;
      throw UserError(name + " is missing");
    }
    if (!read_stored(found->second, value)) {
      throw UserError(name + " is '" + shown(found->second) + "', which is not a valid value");
    }
  });
  return spec;
}

std::string canonical_text(const RunSpec& spec) {
  std::string text;
  for (const auto& [name, value] : stored_fields(spec)) {
    if (name == "masks" && value.empty()) continue;  // so that the ids of other runs stay
    text += name + "=" + value + "\n";
  }
  return text;
}

std::string run_id(const RunSpec& spec) { return hex16(hash_of_text(canonical_text(spec))); }

std::string computation_key(RunSpec spec) {
  RunSpec none;
  for (const RunField& field : run_fields()) {
    if (!field.of_method) continue;
    std::visit([&](auto member) { member(spec) = member(none); }, field.member);
  }
  spec.inputs.clear();
  return canonical_text(spec);
}

std::string problem_key(RunSpec spec) {
  spec.strategy.clear();
  spec.options.clear();
  spec.shape.latent_size = spec.shape.latent_rope_size = 0;  // an option of the strategy
  spec.inputs.clear();
  return canonical_text(spec);
}

std::string options_text(const std::map<std::string, std::string>& options) {
  std::string text;
  for (const auto& [name, value] : options) {
    text += (text.empty() ? "" : ",") + escaped(name, ",=") + "=" + escaped(value, ",=");
  }
  return text;
}

std::string strategy_text(const RunSpec& spec) {
  return spec.strategy + (spec.options.empty() ? "" : ":" + options_text(spec.options));
}

}  // namespace cpbench
