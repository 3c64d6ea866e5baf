#include "harness/cli/listing.h"

#include <fmt/format.h>

#include <map>

#include "harness/cli/human.h"
#include "harness/execute/execute.h"
#include "harness/execute/gpus/gpu_kernel_names.h"
#include "harness/machines/clusters.h"
#include "harness/machines/kernel_models.h"
#include "harness/machines/profiles.h"
#include "harness/measure/metrics.h"
#include "harness/plan/mask_text.h"
#include "harness/plan/names.h"
#include "harness/run/backends.h"
#include "harness/run/choices.h"
#include "harness/run/suite.h"
#include "harness/strategy/strategy.h"
#include "workloads/shapes.h"
#include "workloads/workload.h"

namespace cpbench {

namespace {

// Columns of a terminal by importance; those on request are for `cpbench list KIND NAME`.
Column text(const char* name, int importance) { return {name, false, importance}; }
Column number(const char* name, int importance) { return {name, true, importance}; }
Column on_request(const char* name) { return {name, false, kOnRequest}; }

Table list_strategies() {
  Table table{{{"name"},
               text("title", 9),
               text("moves", 8),
               on_request("unsupported when"),
               on_request("options"),
               on_request("source")},
              {}};
  for (const Strategy* strategy : strategies()) {
    std::string options;
    for (const OptionSpec& option : all_options_of(*strategy)) {
      options += (options.empty() ? "" : ",") + option.name;
    }
    table.rows.push_back({strategy->name, strategy->title, strategy->moves, strategy->constraints,
                          options, strategy->source});
  }
  return table;
}

std::string allowed(const OptionSpec& option) {
  std::string words;
  for (const std::string& choice : option.choices) words += (words.empty() ? "" : "|") + choice;
  if (!words.empty()) return words;
  if (option.kind == OptionKind::boolean) return "true|false";
  const std::string kind = option.kind == OptionKind::integer ? "integer" : "number";
  if (option.minimum == option.maximum) return kind;
  return fmt::format("{} {}..{}", kind, option.minimum, option.maximum);
}

std::string tried(const Strategy& strategy, const OptionSpec& option) {
  const auto grid = std::ranges::find(strategy.tuning, option.name, &OptionGrid::option);
  return grid == strategy.tuning.end() ? "" : fmt::format("{}", fmt::join(grid->values, ", "));
}

Table list_options() {
  Table table{
      {{"name"}, text("default", 8), text("allowed", 7), text("tuning tries", 6), text("help", 9)},
      {}};
  for (const Strategy* strategy : strategies()) {
    for (const OptionSpec& option : all_options_of(*strategy)) {
      table.rows.push_back({strategy->name + "." + option.name, option.default_value,
                            allowed(option), tried(*strategy, option), option.help});
    }
  }
  return table;
}

Table workloads_of(bool synthetic) {
  Table table{
      {{"name"}, text("kind", 7), text("title", 9), text("description", 8), on_request("source")},
      {}};
  for (const WorkloadSummary& w : list_workloads()) {
    if (synthetic && w.kind != "synthetic") continue;
    table.rows.push_back({w.name, w.kind, w.title, w.description, w.source});
  }
  return table;
}
Table list_workload_table() { return workloads_of(false); }
Table list_distributions() { return workloads_of(true); }

Table list_shape_table() {
  Table table{{{"name"},
               number("query_heads", 8),
               number("kv_heads", 7),
               number("head_dim", 6),
               number("value_head_dim", 5),
               text("description", 9),
               on_request("latent_size"),
               on_request("latent_rope_size"),
               on_request("source")},
              {}};
  const auto if_any = [](int64_t size) { return size > 0 ? std::to_string(size) : ""; };
  for (const NamedShape& named : list_shapes()) {
    const AttentionShape& s = named.attention;
    table.rows.push_back({named.name, std::to_string(s.query_heads), std::to_string(s.kv_heads),
                          std::to_string(s.head_dim), std::to_string(s.value_head_dim),
                          named.description, if_any(named.latent_size),
                          if_any(named.latent_rope_size), named.source});
  }
  return table;
}

std::string giga(double value) { return fmt::format("{:.4g}", value / 1e9); }

std::string error_text(double mean, double worst) {
  if (mean < 0) return "not measured";
  return "mean " + percent(mean) + ", worst " + percent(worst);
}

// What was measured are collectives within a node.
std::string network_error_text(const ClusterModel& m) {
  const std::string text = error_text(m.mean_error, m.worst_error);
  const bool nodes = m.inter_node.bytes_per_second > 0;
  if (m.mean_error < 0 || !nodes) return text;
  return text + "; between nodes: not measured";
}

Table list_cluster_table() {
  Table table{{{"name"},
               number("gpus_per_node", 4),
               number("tflops", 8),
               number("memory_gb", 5),
               number("memory_gb_per_s", 3),
               number("intra_gb_per_s", 7),
               number("inter_gb_per_s", 6),
               text("kernel", 2),
               text("network_error", 1),
               text("description", 9),
               on_request("source")},
              {}};
  for (const ClusterModel& m : list_clusters()) {
    table.rows.push_back({m.name, std::to_string(m.cluster.gpus_per_node),
                          fmt::format("{:.4g}", m.cluster.peak_flops_per_second / 1e12),
                          giga(m.cluster.memory_bytes), giga(m.cluster.memory_bytes_per_second),
                          giga(m.cluster.intra_node_bytes_per_second),
                          giga(m.cluster.inter_node_bytes_per_second), m.kernel,
                          network_error_text(m), m.description, m.source});
  }
  return table;
}

Table list_profile_table() {
  Table table{{{"name"},
               text("description", 9),
               text("assumed", 5),
               on_request("values"),
               on_request("source")},
              {}};
  for (const Profile& p : list_profiles()) {
    std::string assumed, values;
    for (const ProfileValue& value : values_of(p)) {
      if (value.source.empty()) assumed += (assumed.empty() ? "" : ", ") + value.key;
      values += fmt::format("{}{}: {}", values.empty() ? "" : "; ", value.text,
                            value.source.empty() ? "assumed" : value.source);
    }
    table.rows.push_back({p.name, p.description, assumed, values, p.source});
  }
  return table;
}

std::string kernel_source(const std::string& kernel) {
  if (kernel == "cudnn") return "cuDNN, through its frontend";
  if (kernel == "flash") return "LibTorch's FlashAttention-2";
  if (kernel == "flash3") return "FlashAttention-3, of its Python package";
  return kernel == "fused" ? "LibTorch's fused CPU attention" : "this project: plain loops";
}

// Kernels that run, and the kernel models that simulations use.
Table list_kernel_table() {
  Table table{{{"name"},
               text("backend", 9),
               text("gpu", 8),
               text("forward_error", 7),
               text("backward_error", 6),
               text("source", 1)},
              {}};
  std::map<std::string, std::string> running;  // by kernel, the backends that run it
  for (const Backend& backend : backends()) {
    if (!backend.runs && !backend.on_gpus) continue;
    for (const std::string& name : kernels_of(backend)) {
      std::string& names = running[name];
      names += (names.empty() ? "" : ", ") + backend.name;
    }
  }
  for (const auto& [name, backends] : running) {
    table.rows.push_back({name, backends, "", "", "", kernel_source(name)});
  }
  for (const KernelModel& m : kernel_models()) {
    table.rows.push_back({m.name, "simulate", m.gpu.name,
                          error_text(m.forward.mean_error, m.forward.worst_error),
                          error_text(m.backward.mean_error, m.backward.worst_error), m.source});
  }
  return table;
}

Table list_backends() {
  Table table{{{"name"}, {"description"}}, {}};
  for (const Backend& backend : backends()) {
    table.rows.push_back({backend.name, backend.description});
  }
  return table;
}

Table list_metrics() {
  Table table{{{"name"},
               text("unit", 8),
               text("better", 7),
               {"version", true, kOnRequest},
               text("description", 9)},
              {}};
  for (const Metric& m : metrics()) {
    table.rows.push_back(
        {m.name, m.unit, m.better, std::to_string(m.definition_version), m.description});
  }
  return table;
}

Table list_suite_table() {
  Table table{{{"name"}, text("description", 9), on_request("file")}, {}};
  for (const SuiteSummary& suite : list_suites()) {
    table.rows.push_back({suite.name, suite.description, suite.file});
  }
  return table;
}

Table list_packing() {
  Table table{{{"name"}, {"description"}}, {}};
  for (const PackingPolicy& policy : packing_policies()) {
    table.rows.push_back({policy.name, policy.description});
  }
  return table;
}

Table list_parameters() {
  Table table{{{"name"}, text("default", 8), text("help", 9)}, {}};
  for (const RunField& field : run_fields()) {
    table.rows.push_back({field.name, field.default_value, field.help});
  }
  return table;
}

// Of names that are an enumeration: each with what it means, in their order.
Table described(const std::vector<std::string>& names, const std::vector<const char*>& meanings) {
  Table table{{{"name"}, text("description", 9)}, {}};
  for (size_t i = 0; i < names.size(); ++i) table.rows.push_back({names[i], meanings.at(i)});
  return table;
}

Table list_masks() {
  Table table{{{"name"}, text("a query sees", 9), text("window", 8)}, {}};
  for (const std::string& name : enum_name_list<Mask>()) {
    const Mask mask = *enum_named<Mask>(name);
    table.rows.push_back({name, meaning_of(mask), window_of(mask)});
  }
  return table;
}

Table list_dtypes() {
  return described(enum_name_list<Dtype>(),
                   {"8 bytes; for verification", "4 bytes; the default of runs on cores",
                    "2 bytes; the default of GPUs and simulations"});
}

Table list_directions() {
  return described(enum_name_list<Passes>(), {"O", "O, then dQ, dK and dV"});
}

Table list_formats() {
  return described(format_names(),
                   {"for people: short numbers, as wide as the terminal",
                    "a row for each run with all fields and metrics",
                    "a list of objects with all fields and metrics", "a table for documents"});
}

}  // namespace

const std::vector<ListKind>& list_kinds() {
  static const std::vector<ListKind> kinds = {
      {"strategies", "strategy", "context-parallel strategies", list_strategies},
      {"options", "option", "options of strategies, for --set", list_options},
      {"workloads", "workload", "length sets and distributions", list_workload_table},
      {"distributions", "distribution", "synthetic workloads and their parameters",
       list_distributions},
      {"packing", "packing policy", "ways to fill a pack with documents", list_packing},
      {"shapes", "shape", "attention shapes", list_shape_table},
      {"clusters", "cluster", "clusters to simulate", list_cluster_table},
      {"profiles", "profile", "what implementations cost besides their strategy",
       list_profile_table},
      {"metrics", "metric", "metrics of a run and their definitions", list_metrics},
      {"suites", "suite", "shipped suites", list_suite_table},
      {"parameters", "parameter", "parameters of a run: flags and keys of suites", list_parameters},
      {"backends", "backend", "ways to run or simulate a plan", list_backends},
      {"kernels", "kernel", "attention kernels, and kernel models to simulate with",
       list_kernel_table},
      {"masks", "mask", "which keys a query sees", list_masks},
      {"dtypes", "dtype", "element types", list_dtypes},
      {"directions", "direction", "passes of a run", list_directions},
      {"formats", "format", "output formats", list_formats},
  };
  return kinds;
}

std::vector<std::string> list_kind_names() {
  std::vector<std::string> names;
  for (const ListKind& kind : list_kinds()) names.push_back(kind.name);
  return names;
}

}  // namespace cpbench
