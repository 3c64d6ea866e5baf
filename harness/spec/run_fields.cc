#include "harness/spec/run_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "harness/plan/errors.h"
#include "harness/plan/limits.h"
#include "harness/plan/mask_text.h"
#include "harness/plan/names.h"
#include "harness/plan/nearest.h"
#include "harness/plan/shown.h"
#include "harness/plan/sizes.h"

namespace cpbench {
namespace {

constexpr int64_t kMaxCount = 1'000'000;
constexpr int64_t kMaxSeed = std::numeric_limits<int64_t>::max();

const std::vector<std::string> kSwitch = {"off", "on"};

constexpr int64_t kMostCtas = 64;   // NCCL's most channels
constexpr int64_t kMostSms = 1024;  // more than any GPU has

bool repeats(const RunSpec& spec) { return spec.iterations > 0; }

template <typename Value>
std::vector<std::string> words_for() {
  if constexpr (std::is_enum_v<Value>) return enum_name_list<Value>();
  if constexpr (std::is_same_v<Value, bool>) return kSwitch;
  return {};
}

// Calls `use` with the member of `spec`.
template <typename Use>
auto with_member(const RunField& field, const RunSpec& spec, Use use) {
  return std::visit([&](auto member) { return use(member(const_cast<RunSpec&>(spec))); },
                    field.member);
}

int64_t count_of(const RunField& field, const std::string& text) {
  int64_t value = 0;
  try {
    value = parse_size(text);
  } catch (const UserError&) {
    throw UserError(
        fmt::format("'{}' is not a valid count; write digits with an optional K or M, at least {}",
                    shown(text), field.minimum));
  }
  if (value < field.minimum || value > field.maximum) {
    throw UserError(fmt::format("{} is out of range; must be from {} to {}", shown(text),
                                field.minimum, field.maximum));
  }
  return value;
}

// A share below 1, or a count.
double share_of(const RunField& field, const std::string& text) {
  double value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool share = error == std::errc() && end == text.data() + text.size() && value < 1;
  if (share && value >= 0) return value == 0 ? 0 : value;  // no -0
  if (!share && text.find_first_not_of("0123456789KkMm") == std::string::npos && !text.empty()) {
    return static_cast<double>(count_of(field, text));
  }
  throw UserError("'" + shown(text) +
                  "' is not a valid share; must be a number from 0 to below 1, like 0.9, or a "
                  "count of tokens, like 512");
}

}  // namespace

const std::vector<RunField>& run_fields() {
  using S = RunSpec;
  static const std::vector<RunField> fields = {
      {"strategy", "NAME",
       "strategies, 'all', or exec:PROGRAM; options may follow, as in flashcp:ratio=1.2", "",
       [](S& s) -> std::string& { return s.strategy; }},
      {"workload", "NAME",
       "length sets, with long documents cut (pile:cap=0.25), mixes of them by tokens "
       "(mix:web=0.9,books=0.1), distributions (lognormal:mean=2K), documents (documents:2K+512), "
       "files of document lengths; or a whole pack: docs:37,51,40, "
       "tree:prompt=2K,completions=8,length=1K, a JSON file of documents",
       "", [](S& s) -> std::string& { return s.workload; }},
      {"packing", "NAME", "how documents fill a pack", "truncate",
       [](S& s) -> std::string& { return s.packing; }},
      {"tokens", "SIZE",
       "tokens per pack, unless the workload gives whole ones; K and M are binary", "8K",
       [](S& s) -> int64_t& { return s.tokens; }, 1, kMaxTokens},
      {"packs", "N", "packs per run", "1", [](S& s) -> int32_t& { return s.packs; }, 1, kMaxCount},
      {"ranks", "N", "context-parallel ranks", "4", [](S& s) -> int32_t& { return s.ranks; }, 1,
       kMaxRanks},
      {.name = "cluster",
       .value_name = "NAME",
       .help = "cluster to simulate, by name or TOML file; none: ranks without costs",
       .default_value = "none",
       .member = [](S& s) -> std::string& { return s.cluster; },
       .of_method = true,
       .since = "1.2.0"},
      {"nodes", "N",
       "nodes that the ranks fill, a divisor of ranks; auto: from the cluster's GPUs per node, "
       "else 1",
       kAutomatic, [](S& s) -> int32_t& { return s.nodes; }, 1, kMaxRanks},
      {.name = "shape",
       .value_name = "NAME",
       .help = "attention shape: heads and head dimensions, by name or TOML file",
       .default_value = "tiny",
       .member = [](S& s) -> std::string& { return s.shape_name; },
       .stored_as = "shape_name"},
      {.name = "layer",
       .value_name = "NAME",
       .help = "what each rank computes: attention; module: with the projections of Q, K, V and O; "
               "layer: with the FFN too. auto: attention, in simulations all that the shape has",
       .default_value = kAutomatic,
       .member = [](S& s) -> std::string& { return s.layer; },
       .since = "1.6.0",
       .left_out = true},
      {"dtype", "NAME",
       "element type of Q, K, V and O; the default is bfloat16 on GPUs, real or simulated",
       "float32", [](S& s) -> Dtype& { return s.shape.dtype; }},
      {"mask", "NAME",
       "which keys a query sees, see cpbench list masks; a window may follow, as in "
       "sliding_window:1K; masks of several layers on one layout are joined, as in "
       "document_causal*10+sliding_window:1K*52",
       "document_causal", [](S& s) -> Mask& { return s.mask; }},
      {.name = "window",
       .value_name = "SIZE",
       .help = "tokens of the mask's window, block, chunk or prefix",
       .default_value = "",
       .member = [](S& s) -> int64_t& { return s.window; },
       .minimum = 1,
       .maximum = kMaxTokens,
       .applies = [](const S& s) { return s.window > 0; }},
      {.name = "plan_for",
       .value_name = "WORD",
       .help =
           "of several masks, which work the layout balances: that of the first, or the sum over "
           "all layers",
       .default_value = "first",
       .member = [](S& s) -> std::string& { return s.plan_for; },
       .since = "1.6.0",
       .left_out = true},
      {.name = "cached",
       .value_name = "SHARE",
       .help = "share of each document that is in the KV cache and has no query, 0 to below 1; or "
               "so many of its first tokens, at most all but one",
       .default_value = "0",
       .member = [](S& s) -> double& { return s.cached; },
       .minimum = 1,
       .maximum = kMaxTokens,
       .since = "1.1.0",
       .applies = [](const S& s) { return s.cached > 0; }},
      {"direction", "NAME", "whether the forward pass or both passes run", "both",
       [](S& s) -> Passes& { return s.passes; }},
      {.name = "backend",
       .value_name = "NAME",
       .help = "what becomes of the plan, see cpbench list backends",
       .default_value = "threads",
       .member = [](S& s) -> std::string& { return s.backend; },
       .of_method = true},
      {.name = "kernel",
       .value_name = "NAME",
       .help = "attention kernel to run, or kernel model to simulate with, by name or TOML file; "
               "auto: the fastest that supports the shape, or the cluster's in simulations",
       .default_value = kAutomatic,
       .member = [](S& s) -> std::string& { return s.kernel; },
       .of_method = true},
      {.name = "network",
       .value_name = "NAME",
       .help = "how transfers of a simulation share links; simgrid is slower and needs SimGrid",
       .default_value = "ports",
       .member = [](S& s) -> std::string& { return s.network; },
       .of_method = true,
       .since = "1.2.0"},
      {.name = "profile",
       .value_name = "NAME",
       .help =
           "what the implementation costs in a simulation besides its strategy, by name or TOML "
           "file; zigzag=NAME is for the runs of zigzag",
       .default_value = "ideal",
       .member = [](S& s) -> std::string& { return s.profile; },
       .of_method = true,
       .since = "1.2.0"},
      {.name = "warmup",
       .value_name = "N",
       .help = "iterations before the samples",
       .default_value = "1",
       .member = [](S& s) -> int32_t& { return s.warmup; },
       .maximum = kMaxCount,
       .of_method = true,
       .applies = repeats},
      {.name = "iterations",
       .value_name = "N",
       .help = "timed iterations; 6 or more give a 95% interval",
       .default_value = "6",
       .member = [](S& s) -> int32_t& { return s.iterations; },
       .minimum = 1,
       .maximum = kMaxCount,
       .of_method = true,
       .applies = repeats},
      {.name = "graph",
       .value_name = "WORD",
       .help = "whether samples of nccl and cuda are CUDA graphs of a whole iteration",
       .default_value = "off",
       .member = [](S& s) -> bool& { return s.graph; },
       .of_method = true,
       .since = "1.3.0",
       .applies = [](const S& s) { return s.backend == "nccl" || s.backend == "cuda"; }},
      {.name = "min_ctas",
       .value_name = "N",
       .help = "least thread blocks (CTAs) of NCCL per GPU, for nccl; auto: as NCCL chooses",
       .default_value = kAutomatic,
       .member = [](S& s) -> int32_t& { return s.min_ctas; },
       .minimum = 1,
       .maximum = kMostCtas,
       .of_method = true,
       .since = "1.6.0",
       .applies = [](const S& s) { return s.min_ctas > 0; },
       .left_out = true},
      {.name = "max_ctas",
       .value_name = "N",
       .help =
           "most thread blocks (CTAs) of NCCL per GPU, for nccl, each of which takes an SM while "
           "it runs: a profile's reserved_sms in simulations; auto: as NCCL chooses",
       .default_value = kAutomatic,
       .member = [](S& s) -> int32_t& { return s.max_ctas; },
       .minimum = 1,
       .maximum = kMostCtas,
       .of_method = true,
       .since = "1.6.0",
       .applies = [](const S& s) { return s.max_ctas > 0; },
       .left_out = true},
      {.name = "cta_policy",
       .value_name = "NAME",
       .help =
           "how NCCL chooses its thread blocks, for nccl; efficiency: as few as are fast enough",
       .default_value = "default",
       .member = [](S& s) -> std::string& { return s.cta_policy; },
       .of_method = true,
       .since = "1.6.0",
       .left_out = true},
      {.name = "sm_margin",
       .value_name = "N",
       .help =
           "SMs that attention on GPUs leaves free for exchanges, with kernel flash3: a profile's "
           "sm_margin in simulations",
       .default_value = "0",
       .member = [](S& s) -> int32_t& { return s.sm_margin; },
       .maximum = kMostSms,
       .of_method = true,
       .since = "1.6.0",
       .applies = [](const S& s) { return s.sm_margin > 0; },
       .left_out = true},
      {"seed", "N", "seed of document lengths and of Q, K and V", "1",
       [](S& s) -> uint64_t& { return s.seed; }, 0, kMaxSeed},
  };
  return fields;
}

const RunField* find_run_field(const std::string& name) {
  const auto found = std::ranges::find(run_fields(), name, &RunField::name);
  return found == run_fields().end() ? nullptr : &*found;
}

std::vector<std::string> run_field_names() {
  std::vector<std::string> names;
  for (const RunField& field : run_fields()) names.emplace_back(field.name);
  return names;
}

std::string field_text(const RunField& field, const RunSpec& spec) {
  if (field.applies != nullptr && !field.applies(spec)) return "";
  return with_member(field, spec, [&](const auto& value) -> std::string {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, bool>) {
      return kSwitch[value ? 1 : 0];
    } else if constexpr (std::is_same_v<Value, Mask>) {
      return spec.masks.empty() ? name_of(value) : spec.masks;
    } else if constexpr (std::is_enum_v<Value>) {
      return name_of(value);
    } else if constexpr (std::is_same_v<Value, int64_t>) {
      return size_text(value);
    } else {
      return fmt::format("{}", value);
    }
  });
}

FieldNumber field_number(const RunField& field, const RunSpec& spec) {
  FieldNumber number;
  with_member(field, spec, [&](const auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, int32_t>) {
      number = int64_t{value};
    } else if constexpr (std::is_arithmetic_v<Value> && !std::is_same_v<Value, bool>) {
      number = value;
    }
  });
  return number;
}

void set_field(const RunField& field, RunSpec& spec, const std::string& value) {
  with_member(field, spec, [&](auto& member) {
    using Value = std::remove_cvref_t<decltype(member)>;
    if constexpr (std::is_same_v<Value, std::string>) {
      member = value;
    } else if constexpr (std::is_same_v<Value, double>) {
      member = share_of(field, value);
    } else if constexpr (std::is_same_v<Value, Mask>) {
      const std::vector<LayerMask> given = parse_masks(value);
      const DocumentRule& first = given.front().rule;
      member = first.mask;
      if (first.window > 0) spec.window = first.window;
      spec.masks = given.size() > 1 ? value : "";
    } else if constexpr (std::is_enum_v<Value> || std::is_same_v<Value, bool>) {
      const std::vector<std::string> words = words_for<Value>();
      const auto found = std::ranges::find(words, value);
      if (found == words.end()) throw UserError(unknown_name(field.name, value, words));
      member = static_cast<Value>(found - words.begin());
    } else if (value == kAutomatic && field.default_value == value) {
      member = 0;
    } else {
      member = static_cast<Value>(count_of(field, value));
    }
  });
}

std::vector<std::string> fixed_choices(const RunField& field) {
  return with_member(field, RunSpec(), [](const auto& value) {
    return words_for<std::remove_cvref_t<decltype(value)>>();
  });
}

}  // namespace cpbench
