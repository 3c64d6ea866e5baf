#include "harness/strategy/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {
namespace {

template <typename Number>
bool parse(const std::string& text, Number& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::string trimmed(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string bounds(const OptionSpec& spec) {
  if (spec.minimum == spec.maximum) return "";
  return " in [" + trimmed(spec.minimum) + ", " + trimmed(spec.maximum) + "]";
}

bool in_bounds(const OptionSpec& spec, double value) {
  if (!std::isfinite(value)) return false;
  return spec.minimum == spec.maximum || (spec.minimum <= value && value <= spec.maximum);
}

// What the value must be; empty if `value` is valid.
std::string complaint(const OptionSpec& spec, const std::string& value) {
  switch (spec.kind) {
    case OptionKind::boolean:
      return value == "true" || value == "false" ? "" : "true or false";
    case OptionKind::integer: {
      int64_t number = 0;
      bool good = parse(value, number) && in_bounds(spec, static_cast<double>(number));
      return good ? "" : "a whole number" + bounds(spec);
    }
    case OptionKind::number: {
      double number = 0;
      return parse(value, number) && in_bounds(spec, number) ? "" : "a number" + bounds(spec);
    }
    case OptionKind::choice: {
      if (std::find(spec.choices.begin(), spec.choices.end(), value) != spec.choices.end())
        return "";
      std::string text = "one of ";
      for (size_t i = 0; i < spec.choices.size(); ++i) text += (i ? ", " : "") + spec.choices[i];
      return text;
    }
  }
  return "";
}

}  // namespace

OptionSpec boolean_option(std::string name, std::string value, std::string help) {
  return {std::move(name), OptionKind::boolean, std::move(value), std::move(help)};
}
OptionSpec integer_option(std::string name, std::string value, std::string help, double minimum,
                          double maximum) {
  return {std::move(name), OptionKind::integer, std::move(value), std::move(help), minimum,
          maximum};
}
OptionSpec number_option(std::string name, std::string value, std::string help, double minimum,
                         double maximum) {
  return {std::move(name), OptionKind::number, std::move(value), std::move(help), minimum, maximum};
}
OptionSpec choice_option(std::string name, std::string value, std::string help,
                         std::vector<std::string> choices) {
  return {std::move(name),   OptionKind::choice, std::move(value), std::move(help), 0, 0,
          std::move(choices)};
}

Options::Options(const std::string& strategy, const std::vector<OptionSpec>& specs,
                 const std::map<std::string, std::string>& set)
    : strategy_(strategy) {
  std::vector<std::string> known;
  for (const OptionSpec& spec : specs) {
    values_[spec.name] = spec.default_value;
    known.push_back(spec.name);
  }
  for (const auto& [name, value] : set) {
    auto spec = std::find_if(specs.begin(), specs.end(),
                             [&name = name](const OptionSpec& s) { return s.name == name; });
    if (spec == specs.end()) throw UserError(unknown_name("option of " + strategy, name, known));
    std::string want = complaint(*spec, value);
    if (!want.empty()) {
      throw UserError(strategy + "." + name + " is '" + value + "'; must be " + want);
    }
    values_[name] = value;
    if (value != spec->default_value) changed_[name] = value;
  }
}

bool Options::boolean(const std::string& name) const { return text(name) == "true"; }

int64_t Options::integer(const std::string& name) const {
  int64_t value = 0;
  parse(text(name), value);
  return value;
}

double Options::number(const std::string& name) const {
  double value = 0;
  parse(text(name), value);
  return value;
}

const std::string& Options::text(const std::string& name) const { return values_.at(name); }

std::string Options::changed() const {
  std::string out;
  for (const auto& [name, value] : changed_) out += (out.empty() ? "" : ",") + name + "=" + value;
  return out;
}

}  // namespace cpbench
