#include "harness/run/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <regex>

#include "harness/execute/gpus/gpu_kernel_names.h"
#include "harness/execute/kernel.h"
#include "harness/execute/layer.h"
#include "harness/execute/processes/launch_environment.h"
#include "harness/machines/clusters.h"
#include "harness/machines/kernel_models.h"
#include "harness/machines/profiles.h"
#include "harness/plan/errors.h"
#include "harness/plan/input_file.h"
#include "harness/plan/names.h"
#include "harness/plan/text_hash.h"
#include "harness/run/choices.h"
#include "harness/run/simulation.h"
#include "harness/simulate/run_simgrid.h"
#include "harness/store/external.h"
#include "harness/strategy/strategy.h"
#include "workloads/workload.h"

namespace cpbench {

namespace {

template <typename Value, typename Find>
const Value& remembered(std::map<std::string, Value>& known, const std::string& name, Find find) {
  const auto found = known.find(name);
  return found != known.end() ? found->second : known.emplace(name, find(name)).first->second;
}

// "exec:./planner.py:alpha=2" into the planner and its options. A path may have a colon too.
void split_external(RunSpec& spec) {
  static const std::regex form("(exec:.*?)(?::(\\w[\\w-]*=.*))?");
  std::smatch parts;
  std::regex_match(spec.strategy, parts, form);
  for (const std::string& piece : split_values(parts[2])) {
    const size_t equals = piece.find('=');
    if (equals == std::string::npos) {
      throw UserError(fmt::format("'{}' is no option of a planner; write NAME=VALUE", piece));
    }
    spec.options[piece.substr(0, equals)] = piece.substr(equals + 1);
  }
  spec.strategy = std::string(parts[1]);
  if (planner_of(spec.strategy).empty()) {
    throw UserError("exec: needs a program, like exec:./planner.py");
  }
}

void require_kernel(const Job& job) {
  const std::vector<std::string> names = kernels_of(*job.backend);
  if (std::ranges::find(names, job.spec.kernel) != names.end()) return;
  require_known(*find_run_field("kernel"), "kernel", job.spec.kernel);
  throw UserError(fmt::format("backend {} has no kernel '{}', only {}", job.backend->name,
                              job.spec.kernel, fmt::join(names, ", ")));
}

void choose_kernel(Job& job) {
  std::string& kernel = job.spec.kernel;
  if (job.backend->plans_only()) {
    kernel.clear();
    return;
  }
  const bool automatic = kernel == kAutomatic;
  if (!automatic && !(job.backend->simulates && names_file(kernel))) require_kernel(job);
  if (job.backend->on_gpus) return;  // what a GPU supports is known where there is one
  if (!job.backend->simulates) {
    kernel = kernel_for(kernel, job.spec.shape);
  } else if (automatic) {
    kernel = job.machine->kernel;
  }
}

// What is left out of the layer is not in the shape of the run: strategies do not plan for it, and
// simulations do not charge it.
void choose_layer(Job& job) {
  RunSpec& spec = job.spec;
  const RunField& field = *find_run_field("layer");
  if (spec.layer.empty()) spec.layer = field.default_value;  // as stored
  require_known(field, "layer", spec.layer);
  if (spec.layer == kAutomatic) return spec.layer.clear();
  const bool ffn = spec.layer == "layer";
  if (!ffn) spec.shape.ffn_size = 0;
  if (spec.layer == "attention") {
    spec.shape = without_layer(spec.shape);
    return;
  }
  if (spec.shape.hidden_size == 0 || (ffn && spec.shape.ffn_size == 0)) {
    throw UserError(fmt::format("shape {} has no {}; choose one that has, or --layer {}",
                                spec.shape_name, ffn ? "ffn_size" : "hidden_size",
                                spec.shape.hidden_size > 0 ? "module" : "attention"));
  }
  if (!job.backend->runs) return;
  const bool cached = std::ranges::any_of(
      *job.batches, [](const Batch& batch) { return batch.new_tokens() < batch.tokens(); });
  if (cached) {
    throw UserError("cached tokens are not projected; --layer attention supports them");
  }
}

// What travels in the place of K and V is in the shape of the run, so that strategies, plans and
// simulations count the same bytes.
void choose_wire(const Job& job, const NamedShape& named, AttentionShape& shape) {
  const auto kv = job.spec.options.find("kv");
  if (is_external(job.spec.strategy) || kv == job.spec.options.end()) return;
  const std::string option = job.spec.strategy + ".kv=" + kv->second;
  if (named.latent_size == 0) {
    throw UserError(fmt::format(
        "{} needs a shape with a latent_size, like deepseek_v3; {} has none", option, named.name));
  }
  if (job.backend->runs || job.backend->replays()) {
    throw UserError(
        fmt::format("{} is not supported by backend {}, which makes no K and V of "
                    "latents; plan and simulate do",
                    option, job.backend->name));
  }
  shape.latent_size = named.latent_size;
  shape.latent_rope_size = named.latent_rope_size;
}

// What NCCL and kernels may take of the SMs is only for those that can be told.
void check_sm_use(Job& job, const Origin& origin) {
  RunSpec& spec = job.spec;
  const RunField& policy = *find_run_field("cta_policy");
  if (spec.cta_policy.empty()) spec.cta_policy = policy.default_value;  // as stored
  at_origin(origin("cta_policy"), [&] { require_known(policy, "CTA policy", spec.cta_policy); });
  if (spec.cta_policy == policy.default_value) spec.cta_policy.clear();
  const bool simulated = job.backend->simulates && !job.backend->on_gpus;
  for (const char* name : {"min_ctas", "max_ctas", "cta_policy"}) {
    if (spec.backend == "nccl" || field_text(*find_run_field(name), spec).empty()) continue;
    throw UserError(fmt::format(
        "{}: backend {} does not use NCCL; only nccl does{}", origin(name), spec.backend,
        simulated ? ", and simulations have reserved_sms of a profile" : ""));
  }
  if (spec.max_ctas > 0 && spec.min_ctas > spec.max_ctas) {
    throw UserError(fmt::format("{}: {} is more than max_ctas = {}", origin("min_ctas"),
                                spec.min_ctas, spec.max_ctas));
  }
  if (spec.sm_margin == 0) return;
  if (!job.backend->on_gpus) {
    throw UserError(fmt::format("{}: backend {} runs no attention kernel on a GPU{}",
                                origin("sm_margin"), spec.backend,
                                simulated ? "; simulations have sm_margin of a profile" : ""));
  }
  if (spec.kernel == kAutomatic) return;
  at_origin(origin("sm_margin"), [&] { check_sm_margin(spec.kernel, spec.sm_margin); });
}

std::vector<LayerMask> masks_of(const RunSpec& spec) {
  if (spec.masks.empty()) return {{{spec.mask, spec.window}}};
  std::vector<LayerMask> masks = parse_masks(spec.masks);
  masks.front().rule.window = spec.window;  // it may be given apart
  for (const LayerMask& mask : masks) {
    if (!has_window(mask.rule.mask) || mask.rule.window > 0) continue;
    throw UserError(fmt::format("{} needs a window, like {}:1K", name_of(mask.rule.mask),
                                name_of(mask.rule.mask)));
  }
  return masks;
}

// Which of several masks a layout is planned for.
void check_plan_for(RunSpec& spec, const Origin& origin) {
  const RunField& field = *find_run_field("plan_for");
  if (spec.plan_for.empty()) spec.plan_for = field.default_value;  // as stored
  at_origin(origin("plan_for"), [&] { require_known(field, "word", spec.plan_for); });
  if (spec.plan_for == field.default_value) spec.plan_for.clear();
  if (spec.plan_for.empty()) return;
  if (spec.masks.empty()) {
    throw UserError(origin("plan_for") +
                    ": sum needs several masks, like --mask document_causal+sliding_window:1K");
  }
  if (!is_external(spec.strategy)) return;
  throw UserError(origin("plan_for") + ": sum is not supported by external planners");
}

std::vector<Batch> make_batches(const Workload& workload, const RunSpec& spec) {
  const PackingOptions options{spec.tokens, spec.packs, spec.seed, spec.packing};
  std::vector<Batch> batches;
  for (Batch& pack : make_packs(workload, options)) {
    if (spec.cached > 0) set_cached(pack, spec.cached);
    const std::vector<LayerMask> masks = masks_of(spec);
    if (spec.plan_for == "sum") pack.layer_masks = masks;
    for (const LayerMask& mask : masks) {
      batches.push_back(pack);
      batches.back().mask = mask.rule.mask;
      batches.back().window = mask.rule.window;
    }
  }
  return batches;
}

GpuProperties properties_of(const ClusterModel& machine) {
  return {machine.name, machine.sms, machine.cluster.peak_flops_per_second,
          machine.cluster.memory_bytes_per_second};
}

std::string program_text(const std::string& strategy) {
  if (!is_external(strategy)) return "";
  const std::string file = planner_file(planner_of(strategy));
  if (!std::filesystem::is_regular_file(file)) return "";  // starting it says what is wrong
  return read_input("planner", file, kAnySize);
}

}  // namespace

void split_strategy(RunSpec& spec) {
  if (is_external(spec.strategy)) return split_external(spec);
  const std::string value = spec.strategy;
  const size_t colon = std::min(value.find(':'), value.size());
  spec.strategy = value.substr(0, colon);
  find_strategy(spec.strategy);
  if (colon == value.size()) return;
  for (const std::string& piece : split_values(value.substr(colon + 1))) {
    const OptionSetting setting = parse_setting(spec.strategy + "." + piece);
    spec.options[setting.option] = setting.value;
  }
}

void set_cached(Batch& batch, double cached) {
  batch.cached_tokens.resize(batch.document_lengths.size(), 0);
  for (size_t d = 0; d < batch.document_lengths.size(); ++d) {
    const int64_t length = batch.document_lengths[d];
    const double tokens = cached < 1 ? cached * static_cast<double>(length) : cached;
    const int64_t most = std::max<int64_t>(0, length - 1);
    batch.cached_tokens[d] =
        std::max(batch.cached_tokens[d], std::min(static_cast<int64_t>(tokens), most));
  }
}

AttentionShape Job::computed_shape() const {
  return spec.layer.empty() ? without_layer(spec.shape) : spec.shape;
}

Cluster Job::cluster() const {
  if (machine) return machine->cluster;
  return {.nodes = spec.nodes, .gpus_per_node = spec.ranks / spec.nodes};
}

// The cluster, and the nodes that the ranks fill.
void Resolver::place(Job& job, const Origin& origin) {
  RunSpec& spec = job.spec;
  if (spec.cluster == "none") spec.cluster.clear();
  if (!spec.cluster.empty()) {
    const ClusterModel* preset = nullptr;
    at_origin(origin("cluster"),
              [&] { preset = &remembered(clusters_, spec.cluster, find_cluster); });
    at_origin(origin(spec.nodes == 0 ? "ranks" : "nodes"),
              [&] { job.machine = cluster_with_ranks(*preset, spec.ranks, spec.nodes); });
    spec.nodes = job.machine->cluster.nodes;
  }
  if (job.backend->simulates && !job.machine) {
    throw UserError(
        fmt::format("{}: {} needs a cluster, like --cluster h100; see cpbench list clusters",
                    origin("backend"), spec.backend));
  }
  spec.nodes = std::max(spec.nodes, 1);
  if (spec.ranks % spec.nodes != 0) {
    throw UserError(fmt::format("{}: {} nodes do not divide {} ranks", origin("nodes"), spec.nodes,
                                spec.ranks));
  }
}

void Resolver::choose_models(Job& job, const Origin& origin, const std::string& kernel_origin) {
  RunSpec& spec = job.spec;
  at_origin(origin("network"), [&] {
    require_known(*find_run_field("network"), "network model", spec.network);
    if (spec.network != "simgrid") return;
    simgrid_program();  // UserError where it is not installed
    job.network = NetworkModel::simgrid;
  });
  at_origin(origin("profile"), [&] {
    job.profile = remembered(profiles_, spec.profile, find_profile);
    for (const auto& [key, sms] : {std::pair("reserved_sms", job.profile.reserved_sms),
                                   {"collective_sms", job.profile.collective_sms},
                                   {"sm_margin", job.profile.sm_margin}}) {
      if (sms < job.machine->sms) continue;
      throw UserError(fmt::format("profile {} has {} = {}; must be fewer than the {} of cluster {}",
                                  spec.profile, key, sms, job.machine->sms, spec.cluster));
    }
  });
  if (job.backend->replays()) return;
  at_origin(kernel_origin, [&] {
    job.kernel =
        scaled_to(remembered(kernels_, spec.kernel, find_kernel), properties_of(*job.machine));
  });
}

Resolver::Batches Resolver::batches_of(RunSpec& spec) {
  const Workload& workload = *remembered(workloads_, spec.workload, [](const std::string& name) {
    return std::shared_ptr<const Workload>(find_workload(name));
  });
  if (workload.pack() != nullptr) spec.tokens = workload.pack()->tokens();
  const std::string key = fmt::format(
      "{} {} {} {} {} {} {} {} {} {}", spec.workload, spec.packing, spec.tokens, spec.packs,
      spec.seed, static_cast<int>(spec.mask), spec.window, spec.masks, spec.plan_for, spec.cached);
  return remembered(batches_, key, [&](const std::string&) {
    return std::make_shared<const std::vector<Batch>>(make_batches(workload, spec));
  });
}

Job Resolver::resolve(RunSpec given, bool dtype_given, const Origin& origin) {
  Job job;
  job.spec = std::move(given);
  RunSpec& spec = job.spec;
  at_origin(origin("strategy"), [&] {
    split_strategy(spec);
    spec.options = changed_options(spec.strategy, spec.options);
  });
  at_origin(origin("backend"), [&] { job.backend = &find_backend(spec.backend); });
  const Backend& backend = *job.backend;
  job.in_processes =
      spec.backend == "mpi" || (spec.backend == "nccl" && launch_environment().has_value());
  if ((backend.on_gpus || backend.simulates) && !dtype_given) spec.shape.dtype = Dtype::bfloat16;
  at_origin(origin("shape"), [&] {
    const Dtype dtype = spec.shape.dtype;
    const NamedShape& named = remembered(shapes_, spec.shape_name, find_shape);
    spec.shape = named.attention;
    spec.shape.dtype = dtype;
    choose_wire(job, named, spec.shape);
  });
  if (!has_window(spec.mask)) spec.window = 0;
  if (has_window(spec.mask) && spec.window == 0) {
    throw UserError(
        fmt::format("{}: {} needs a window, like --window 1K", origin("mask"), name_of(spec.mask)));
  }
  at_origin(origin("mask"), [&] { job.masks = masks_of(spec); });
  check_plan_for(spec, origin);
  place(job, origin);
  // "auto" is the cluster's kernel model, so the cluster's file is where a wrong name was given.
  const bool of_cluster = backend.simulates && spec.kernel == kAutomatic;
  const std::string kernel_origin = of_cluster ? "cluster " + spec.cluster : origin("kernel");
  at_origin(kernel_origin, [&] { choose_kernel(job); });
  if (backend.simulates) {
    choose_models(job, origin, kernel_origin);
    spec.warmup = 0;
    if (!backend.on_gpus) spec.iterations = 1;  // each would be like the first
  } else {
    spec.network.clear();
    spec.profile.clear();
  }
  if (backend.plans_only()) spec.warmup = spec.iterations = 0;
  if (!backend.runs || !backend.on_gpus) spec.graph = false;
  check_sm_use(job, origin);
  at_origin(origin("packing"),
            [&] { require_known(*find_run_field("packing"), "packing policy", spec.packing); });
  at_origin(origin("workload"), [&] { job.batches = batches_of(spec); });
  at_origin(origin("layer"), [&] { choose_layer(job); });
  at_origin(origin("mask"), [&] {
    for (const Batch& batch : *job.batches) {
      if (!batch.is_uniform()) validate({batch, spec.shape, {}});
    }
  });
  spec.inputs = inputs_of(job);
  return job;
}

std::string inputs_of(const Job& job, const std::map<std::string, std::string>& also) {
  std::string text = program_text(job.spec.strategy);
  for (const Batch& batch : *job.batches) {
    text += fmt::format("\n{} | {}", fmt::join(batch.document_lengths, " "),
                        fmt::join(batch.cached_tokens, " "));
    if (!batch.parents.empty()) text += fmt::format(" | {}", fmt::join(batch.parents, " "));
    for (const auto& [mask, window] : batch.rules) {
      text += fmt::format(" {}:{}", name_of(mask), window);
    }
  }
  if (job.machine) text += "\n" + model_text(job);
  for (const auto& [name, value] : also) text += "\n" + name + "=" + value;
  return hex16(hash_of_text(text));
}

}  // namespace cpbench
