#include "harness/cli/listing.h"

#include <fmt/format.h>

#include <map>

#include "harness/execute/execute.h"
#include "harness/execute/gpus/gpu_kernel_names.h"
#include "harness/machines/clusters.h"
#include "harness/machines/kernel_models.h"
#include "harness/machines/profiles.h"
#include "harness/measure/metrics.h"
#include "harness/plan/names.h"
#include "harness/run/backends.h"
#include "harness/run/choices.h"
#include "harness/run/suite.h"
#include "harness/strategy/strategy.h"
#include "workloads/shapes.h"
#include "workloads/workload.h"

namespace cpbench {

namespace {

Table list_strategies() {
  Table table{{{"name"}, {"title"}, {"moves"}, {"unsupported when"}, {"options"}, {"source"}}, {}};
  for (const Strategy* strategy : strategies()) {
    std::string options;
    for (const OptionSpec& option : strategy->options) {
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

Table list_options() {
  Table table{{{"name"}, {"default"}, {"allowed"}, {"help"}}, {}};
  for (const Strategy* strategy : strategies()) {
    for (const OptionSpec& option : strategy->options) {
      table.rows.push_back(
          {strategy->name + "." + option.name, option.default_value, allowed(option), option.help});
    }
  }
  return table;
}

Table workloads_of(bool synthetic) {
  Table table{{{"name"}, {"kind"}, {"title"}, {"description"}, {"source"}}, {}};
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
               {"query_heads", true},
               {"kv_heads", true},
               {"head_dim", true},
               {"value_head_dim", true},
               {"description"},
               {"source"}},
              {}};
  for (const NamedShape& named : list_shapes()) {
    const AttentionShape& s = named.attention;
    table.rows.push_back({named.name, std::to_string(s.query_heads), std::to_string(s.kv_heads),
                          std::to_string(s.head_dim), std::to_string(s.value_head_dim),
                          named.description, named.source});
  }
  return table;
}

std::string giga(double per_second) { return fmt::format("{:.4g}", per_second / 1e9); }

Table list_cluster_table() {
  Table table{{{"name"},
               {"gpus_per_node", true},
               {"tflops", true},
               {"memory_gb", true},
               {"memory_gb_per_s", true},
               {"intra_gb_per_s", true},
               {"inter_gb_per_s", true},
               {"kernel"},
               {"network_error"},
               {"description"},
               {"source"}},
              {}};
  for (const ClusterModel& m : list_clusters()) {
    table.rows.push_back({m.name, std::to_string(m.cluster.gpus_per_node),
                          fmt::format("{:.4g}", m.cluster.peak_flops_per_second / 1e12),
                          giga(m.cluster.memory_bytes), giga(m.cluster.memory_bytes_per_second),
                          giga(m.cluster.intra_node_bytes_per_second),
                          giga(m.cluster.inter_node_bytes_per_second), m.kernel,
                          m.mean_error < 0 ? "not measured"
                                           : fmt::format("mean {:.3g}%, worst {:.3g}%",
                                                         100 * m.mean_error, 100 * m.worst_error),
                          m.description, m.source});
  }
  return table;
}

Table list_profile_table() {
  Table table{{{"name"}, {"description"}, {"source"}}, {}};
  for (const Profile& p : list_profiles()) {
    table.rows.push_back({p.name, p.description, p.source});
  }
  return table;
}

std::string error_text(const KernelConstants& c) {
  return c.mean_error < 0
             ? "not measured"
             : fmt::format("mean {:.3g}%, worst {:.3g}%", 100 * c.mean_error, 100 * c.worst_error);
}

std::string kernel_source(const std::string& kernel) {
  if (kernel == "cudnn") return "cuDNN, through its frontend";
  if (kernel == "flash") return "FlashAttention-2 of LibTorch";
  return kernel == "fused" ? "fused CPU attention of LibTorch" : "of this project: plain loops";
}

// Those that run, and models of those that a simulation prices.
Table list_kernel_table() {
  Table table{{{"name"}, {"backend"}, {"gpu"}, {"forward_error"}, {"backward_error"}, {"source"}},
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
    table.rows.push_back(
        {m.name, "simulate", m.gpu.name, error_text(m.forward), error_text(m.backward), m.source});
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
  Table table{{{"name"}, {"unit"}, {"better"}, {"version", true}, {"description"}}, {}};
  for (const Metric& m : metrics()) {
    table.rows.push_back(
        {m.name, m.unit, m.better, std::to_string(m.definition_version), m.description});
  }
  return table;
}

Table list_suite_table() {
  Table table{{{"name"}, {"description"}, {"file"}}, {}};
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
  Table table{{{"name"}, {"default"}, {"help"}}, {}};
  for (const RunField& field : run_fields()) {
    table.rows.push_back({field.name, field.default_value, field.help});
  }
  return table;
}

Table names_alone(const std::vector<std::string>& names) {
  Table table{{{"name"}}, {}};
  for (const std::string& name : names) table.rows.push_back({name});
  return table;
}

}  // namespace

const std::vector<ListKind>& list_kinds() {
  static const std::vector<ListKind> kinds = {
      {"strategies", "context-parallel strategies", list_strategies},
      {"options", "options of strategies, for --set", list_options},
      {"workloads", "length sets and distributions", list_workload_table},
      {"distributions", "synthetic workloads and their parameters", list_distributions},
      {"packing", "how documents fill a pack", list_packing},
      {"shapes", "attention shapes", list_shape_table},
      {"clusters", "clusters that a run can be costed on", list_cluster_table},
      {"profiles", "what implementations cost on top of their strategy", list_profile_table},
      {"metrics", "what is measured", list_metrics},
      {"suites", "shipped suites", list_suite_table},
      {"parameters", "parameters of a run: flags and keys of suites", list_parameters},
      {"backends", "what a plan can be given to", list_backends},
      {"kernels", "attention kernels that run, and models of those that are simulated",
       list_kernel_table},
      {"masks", "which keys a query sees", [] { return names_alone(enum_name_list<Mask>()); }},
      {"dtypes", "element types", [] { return names_alone(enum_name_list<Dtype>()); }},
      {"directions", "passes that are run", [] { return names_alone(enum_name_list<Passes>()); }},
      {"formats", "output formats", [] { return names_alone(format_names()); }},
  };
  return kinds;
}

std::vector<std::string> list_kind_names() {
  std::vector<std::string> names;
  for (const ListKind& kind : list_kinds()) names.push_back(kind.name);
  return names;
}

}  // namespace cpbench
