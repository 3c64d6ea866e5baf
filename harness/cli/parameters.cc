#include "harness/cli/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "harness/cli/backends.h"
#include "harness/cost/kernel_time.h"
#include "harness/execute/execute.h"
#include "harness/plan/errors.h"
#include "harness/plan/names.h"
#include "harness/plan/nearest.h"
#include "harness/plan/sizes.h"
#include "harness/strategy/strategy.h"
#include "workloads/clusters.h"
#include "workloads/kernels.h"
#include "workloads/profiles.h"
#include "workloads/shapes.h"
#include "workloads/workload.h"

namespace cpbench {

namespace {

constexpr const char* kExternal = "exec:";

int64_t at_least(const std::string& text, int64_t minimum, int64_t maximum) {
  int64_t value = 0;
  try {
    value = parse_size(text);
  } catch (const UserError&) {
    throw UserError("'" + text + "' is no count; write digits with an optional K or M, at least " +
                    std::to_string(minimum));
  }
  if (value < minimum || value > maximum) {
    throw UserError(text + " is out of range; must be from " + std::to_string(minimum) + " to " +
                    std::to_string(maximum));
  }
  return value;
}

// Bounds that no sane run reaches; they keep products of counts inside 64 bits.
constexpr int64_t kMaxTokens = int64_t{1} << 32;
constexpr int64_t kMaxRanks = 65536;
constexpr int64_t kMaxCount = 1'000'000;

int32_t count(const std::string& text, int64_t minimum, int64_t maximum = kMaxCount) {
  return static_cast<int32_t>(at_least(text, minimum, maximum));
}

// Position of a word in a list of names, which are those of the enum in order.
template <typename Enum>
Enum choice(const std::string& kind, const std::string& word,
            const std::vector<std::string>& names) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == word) return static_cast<Enum>(i);
  }
  throw UserError(unknown_name(kind, word, names));
}

void set_strategy(Cell& cell, const std::string& value) {
  cell.options.clear();
  if (is_external(value)) {
    if (value == kExternal) throw UserError("exec: needs a program, like exec:./planner.py");
    cell.strategy = value;
    return;
  }
  const size_t colon = value.find(':');
  cell.strategy = value.substr(0, colon);
  find_strategy(cell.strategy);
  if (colon == std::string::npos) return;
  for (const std::string& piece : split_values(value.substr(colon + 1))) {
    const OptionSetting setting = parse_setting(cell.strategy + "." + piece);
    cell.options[setting.option] = setting.value;
  }
}

void set_workload(Cell& cell, const std::string& value) {
  find_workload(value);  // throws for an unknown name or an unreadable file
  cell.workload = value;
}

// Throw for an unknown name or a bad file.
void set_cluster(Cell& cell, const std::string& value) {
  if (value != "none") find_cluster(value);
  cell.cluster = value == "none" ? "" : value;
}
void set_profile(Cell& cell, const std::string& value) {
  find_profile(value);
  cell.profile = value;
}

double share(const std::string& text) {
  double value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(0 <= value && value < 1)) {
    throw UserError("'" + text + "' is no share; must be a number from 0 to below 1, like 0.9");
  }
  return value == 0 ? 0 : value;  // no -0
}

std::string cached_text(const Cell& cell) {
  return cell.cached == 0 ? "" : fmt::format("{}", cell.cached);
}
std::string window_text(const Cell& cell) {
  return cell.mask == Mask::sliding_window ? size_text(cell.window) : "";
}
std::string when_running(const Cell& cell, int64_t value) {
  const Backend& backend = backend_of(cell);
  return backend.runs || backend.costs ? std::to_string(value) : "";
}
std::string when_simulating(const Cell& cell, const std::string& value) {
  return backend_of(cell).costs ? value : "";
}

// Of all backends; `cells_of` holds them against the cell's.
std::vector<std::string> all_kernel_names() {
  std::set<std::string> names;
  for (const Backend& backend : backends()) {
    for (const std::string& name : kernels_of(backend)) names.insert(name);
  }
  return {names.begin(), names.end()};
}

std::string backend_help() {
  std::vector<std::string> words;
  for (const Backend& backend : backends()) {
    words.push_back(fmt::format("{} ({})", backend.name, backend.description));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

bool is_file(const std::string& name) { return name.find_first_of("/.") != std::string::npos; }

bool is_external(const std::string& strategy) { return strategy.rfind(kExternal, 0) == 0; }

std::vector<std::string> split_values(const std::string& text) {
  std::vector<std::string> values;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string piece = text.substr(begin, end - begin);
    const size_t equals = piece.find('=');
    const bool continues = equals != std::string::npos && piece.find(':') > equals &&
                           !values.empty() && values.back().find(':') != std::string::npos;
    if (continues) {
      values.back() += "," + piece;
    } else if (!piece.empty()) {
      values.push_back(piece);
    }
    begin = end + 1;
  }
  return values;
}

OptionSetting parse_setting(const std::string& text) {
  const size_t dot = text.find('.');
  const size_t equals = text.find('=');
  if (dot == std::string::npos || equals == std::string::npos || dot > equals) {
    throw UserError("'" + text + "' is no setting; write STRATEGY.OPTION=VALUE, like " +
                    "flashcp.ratio=1.05");
  }
  OptionSetting setting{text.substr(0, dot), text.substr(dot + 1, equals - dot - 1),
                        text.substr(equals + 1)};
  // Throws for what the strategy does not know.
  [[maybe_unused]] const Options checked(setting.strategy, find_strategy(setting.strategy).options,
                                         {{setting.option, setting.value}});
  return setting;
}

std::map<std::string, std::string> changed_options(
    const std::string& strategy, const std::map<std::string, std::string>& options) {
  if (is_external(strategy)) return {};
  const std::vector<OptionSpec>& specs = find_strategy(strategy).options;
  const Options checked(strategy, specs, options);
  std::map<std::string, std::string> changed;
  for (const OptionSpec& spec : specs) {
    const std::string& value = checked.values().at(spec.name);
    if (value != spec.default_value) changed[spec.name] = value;
  }
  return changed;
}

std::string options_text(const std::map<std::string, std::string>& options) {
  std::string text;
  for (const auto& [name, value] : options) {
    text += (text.empty() ? "" : ",") + name + "=" + value;
  }
  return text;
}

std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (const Strategy* strategy : strategies()) names.push_back(strategy->name);
  return names;
}
std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const WorkloadSummary& workload : list_workloads()) names.push_back(workload.name);
  return names;
}
std::vector<std::string> packing_names() {
  std::vector<std::string> names;
  for (const PackingPolicy& policy : packing_policies()) names.push_back(policy.name);
  return names;
}
std::vector<std::string> shape_names() {
  std::vector<std::string> names;
  for (const Shape& shape : list_shapes()) names.push_back(shape.name);
  return names;
}
std::vector<std::string> cluster_names() {
  std::vector<std::string> names;
  for (const Machine& cluster : list_clusters()) names.push_back(cluster.name);
  return names;
}
std::vector<std::string> profile_names() {
  std::vector<std::string> names;
  for (const Profile& profile : list_profiles()) names.push_back(profile.name);
  return names;
}
std::vector<std::string> kernel_model_names() {
  std::vector<std::string> names;
  for (const KernelModel& model : kernel_models()) names.push_back(model.name);
  return names;
}
const std::vector<std::string>& network_names() {
  static const std::vector<std::string> names = {"ports", "simgrid"};
  return names;
}
const std::vector<std::string>& switch_names() {
  static const std::vector<std::string> names = {"off", "on"};
  return names;
}
const std::vector<std::string>& direction_names() {
  static const std::vector<std::string> names = {"forward", "both"};
  return names;
}

const std::vector<RunParameter>& parameters() {
  static const std::vector<RunParameter> table = {
      {"strategy", "NAME",
       "strategies, 'all', or exec:PROGRAM; options may follow: flashcp:ratio=1.2", "",
       set_strategy, [](const Cell& c) { return c.strategy; }, strategy_names},
      {"workload", "NAME",
       "length sets, mixes of them by tokens like mix:web=0.9,books=0.1, distributions like "
       "lognormal:mean=2K, or files of document lengths",
       "", set_workload, [](const Cell& c) { return c.workload; }, workload_names},
      {"packing", "NAME", "how documents fill a pack", "truncate",
       [](Cell& c, const std::string& v) {
         choice<int>("packing policy", v, packing_names());
         c.packing = v;
       },
       [](const Cell& c) { return c.packing; }, packing_names},
      {"tokens", "SIZE", "tokens per pack; K and M are binary", "8K",
       [](Cell& c, const std::string& v) { c.tokens = at_least(v, 1, kMaxTokens); },
       [](const Cell& c) { return size_text(c.tokens); }, nullptr},
      {"packs", "N", "packs per cell", "1",
       [](Cell& c, const std::string& v) { c.packs = count(v, 1); },
       [](const Cell& c) { return std::to_string(c.packs); }, nullptr},
      {"ranks", "N", "context-parallel ranks", "4",
       [](Cell& c, const std::string& v) { c.ranks = count(v, 1, kMaxRanks); },
       [](const Cell& c) { return std::to_string(c.ranks); }, nullptr},
      {"cluster", "NAME",
       "cluster that costs refer to, or a TOML file of your own; none: ranks without a cost",
       "none", set_cluster, [](const Cell& c) { return c.cluster; }, cluster_names},
      {"nodes", "N",
       "nodes that the ranks fill; must divide ranks; auto: by the cluster's GPUs per node, else 1",
       kAutomatic,
       [](Cell& c, const std::string& v) {
         c.nodes = v == kAutomatic ? 0 : count(v, 1, kMaxRanks);
       },
       [](const Cell& c) { return std::to_string(c.nodes); }, nullptr},
      {"shape", "NAME", "attention shape: heads and head dimensions", "tiny",
       [](Cell& c, const std::string& v) {
         const Dtype dtype = c.shape.dtype;
         c.shape = find_shape(v).attention;
         c.shape.dtype = dtype;
         c.shape_name = v;
       },
       [](const Cell& c) { return c.shape_name; }, shape_names},
      {"dtype", "NAME", "of Q, K, V and O; on GPUs, real or simulated, the default is bfloat16",
       "float32",
       [](Cell& c, const std::string& v) {
         c.shape.dtype = choice<Dtype>("dtype", v, dtype_names());
       },
       [](const Cell& c) { return std::string(name_of(c.shape.dtype)); }, dtype_names},
      {"mask", "NAME", "which keys a query sees", "document_causal",
       [](Cell& c, const std::string& v) { c.mask = choice<Mask>("mask", v, mask_names()); },
       [](const Cell& c) { return std::string(name_of(c.mask)); }, mask_names},
      {"window", "SIZE", "tokens that a query sees with mask sliding_window, itself included", "",
       [](Cell& c, const std::string& v) { c.window = at_least(v, 1, kMaxTokens); }, window_text,
       nullptr},
      {"cached", "SHARE", "of each document that is in the KV cache, with no query; 0 to below 1",
       "0", [](Cell& c, const std::string& v) { c.cached = share(v); }, cached_text, nullptr},
      {"direction", "NAME", "forward, or forward and backward", "both",
       [](Cell& c, const std::string& v) {
         c.passes = choice<Passes>("direction", v, direction_names());
       },
       [](const Cell& c) { return direction_names()[static_cast<size_t>(c.passes)]; },
       [] { return direction_names(); }},
      {"backend", "NAME", backend_help(), "threads",
       [](Cell& c, const std::string& v) {
         choice<int>("backend", v, backend_names());
         c.backend = v;
       },
       [](const Cell& c) { return c.backend; }, [] { return backend_names(); }},
      {"kernel", "NAME",
       "attention kernel that runs (auto: fused on cores, the fastest that can on GPUs), or kernel "
       "model of a simulation, by name or TOML file (auto: the cluster's)",
       kAutomatic,
       [](Cell& c, const std::string& v) {
         if (is_file(v)) {
           find_kernel(v);  // throws for a bad file
         } else if (v != kAutomatic) {
           choice<int>("kernel", v, all_kernel_names());
         }
         c.kernel = v;
       },
       [](const Cell& c) { return c.kernel; }, all_kernel_names},
      {"network", "NAME",
       "of a simulation: how transfers share links; simgrid is slower and needs SimGrid", "ports",
       [](Cell& c, const std::string& v) {
         choice<int>("network model", v, network_names());
         c.network = v;
       },
       [](const Cell& c) { return when_simulating(c, c.network); }, [] { return network_names(); }},
      {"profile", "NAME",
       "of a simulation: what the implementation costs beside its strategy, or a TOML file",
       "ideal", set_profile, [](const Cell& c) { return when_simulating(c, c.profile); },
       profile_names},
      {"warmup", "N", "iterations before the samples", "1",
       [](Cell& c, const std::string& v) { c.warmup = count(v, 0); },
       [](const Cell& c) { return when_running(c, c.warmup); }, nullptr},
      {"iterations", "N", "timed iterations; 6 or more give a 95% interval", "6",
       [](Cell& c, const std::string& v) { c.iterations = count(v, 1); },
       [](const Cell& c) { return when_running(c, c.iterations); }, nullptr},
      {"graph", "WORD", "of nccl: whether samples are CUDA graphs of a whole iteration", "off",
       [](Cell& c, const std::string& v) {
         c.graph = choice<int>("setting", v, switch_names()) == 1;
       },
       [](const Cell& c) { return c.backend == "nccl" ? switch_names()[c.graph ? 1 : 0] : ""; },
       [] { return switch_names(); }},
      {"seed", "N", "of document lengths and of Q, K, V", "1",
       [](Cell& c, const std::string& v) {
         c.seed = static_cast<uint64_t>(at_least(v, 0, std::numeric_limits<int64_t>::max()));
       },
       [](const Cell& c) { return std::to_string(c.seed); }, nullptr},
  };
  return table;
}

const RunParameter* find_parameter(const std::string& name) {
  for (const RunParameter& parameter : parameters()) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

std::vector<std::string> parameter_names() {
  std::vector<std::string> names;
  for (const RunParameter& parameter : parameters()) names.push_back(parameter.name);
  return names;
}

}  // namespace cpbench
