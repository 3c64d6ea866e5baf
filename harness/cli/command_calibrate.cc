// Fits a kernel model to measured calls, or to calls run here, and writes it as TOML; or the links
// between GPUs, as a cluster file.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "harness/cli/calibrate_links.h"
#include "harness/cli/calibration_calls.h"
#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/table.h"
#include "harness/machines/clusters.h"
#include "harness/machines/kernel_models.h"
#include "harness/plan/errors.h"
#include "harness/run/choices.h"
#include "harness/run/gpu_jobs.h"
#include "harness/store/atomic_file.h"
#include "harness/store/provenance.h"
#include "workloads/shapes.h"

namespace cpbench {

namespace {

// Backward does 2.5 times the FLOPs of forward.
constexpr double kBackwardFlops = 2.5;
// Rows of the buffers in which copies and merges are timed: with a few heads beyond any core's
// cache.
constexpr int64_t kRateRows = 1 << 16;

struct CalibrateFlags {
  std::vector<std::string> sources;
  std::string output, cluster, shape, dtype, kernel, calls, format;
};

struct Calibration {
  KernelModel model;
  MeasuredCalls calls;
  FitChoices choices;
  std::string notes;  // printed, one line each
};

Calibration of_files(const CalibrateFlags& flags) {
  if (flags.cluster.empty()) {
    throw UserError("--cluster is missing: the GPU on which the calls were measured");
  }
  const ClusterModel machine = find_cluster(flags.cluster);
  Calibration c;
  c.model.gpu = {machine.name, machine.sms, machine.cluster.peak_flops_per_second,
                 machine.cluster.memory_bytes_per_second};
  c.calls = read_measured_calls(flags.sources, c.model.gpu.peak_flops_per_second);
  c.model.head_dim = c.calls.head_dim;
  for (const std::string& file : flags.sources) {
    c.model.source += (c.model.source.empty() ? "calls in " : ", ") +
                      std::filesystem::path(file).filename().string();
  }
  return c;
}

AttentionShape shape_of(const CalibrateFlags& flags) {
  RunSpec spec;
  const auto set = [&](const char* name, const std::string& value) {
    try {
      set_field(*find_run_field(name), spec, value);
    } catch (const UserError& error) {
      throw UserError(std::string("--") + name + ": " + error.what());
    }
  };
  set("shape", flags.shape);
  set("dtype", flags.dtype);
  AttentionShape shape = find_shape(spec.shape_name).attention;
  shape.dtype = spec.shape.dtype;
  return shape;
}

std::string notes_of(const RowRates& rates) {
  return fmt::format(
      "copies: achieved_memory_gigabytes_per_second = {:.3g}\n"
      "merges: {:.3g} elements of O per second, merge_bytes_per_element = {:.3g}\n",
      rates.copied_bytes_per_second / 1e9, rates.merged_elements_per_second,
      rates.copied_bytes_per_second / rates.merged_elements_per_second);
}

Calibration of_this_cpu(const CalibrateFlags& flags) {
  const AttentionShape shape = shape_of(flags);
  Calibration c;
  c.calls = measure_cpu_calls(flags.kernel, shape);
  // Without peak and memory bandwidth: this model is of this very machine, and is not scaled.
  c.model.gpu.name = "one core of " + provenance({}, {}, {}).at("cpu_model");
  c.model.head_dim = shape.head_dim;
  c.model.source = fmt::format("kernel '{}' in {}, shape {}, timed by cpbench calibrate cpu",
                               flags.kernel, flags.dtype, flags.shape);
  // LibTorch's splits: of keys, and of queries in segments of under 192, under 768, and more.
  c.choices = {.tile_tokens = {64, 32, 256}, .block_tokens = {512}, .padded = false};
  c.notes = notes_of(measure_row_rates(shape, kRateRows));
  return c;
}

Calibration of_this_gpu(const CalibrateFlags& flags) {
  const AttentionShape shape = shape_of(flags);
  Gpus& gpus = open_gpus();
  const Gpu& gpu = gpus.all().front();
  const std::string kernel = gpus.kernel_for(flags.kernel, shape);
  Calibration c;
  c.calls = measure_gpu_calls(kernel, shape);
  c.model.gpu = {gpu.name, gpu.sms, gpu_peak_flops_per_second(), gpu.memory_bytes_per_second};
  c.model.head_dim = shape.head_dim;
  c.model.source = fmt::format("kernel '{}' in {}, shape {}, timed by cpbench calibrate gpu",
                               kernel, flags.dtype, flags.shape);
  c.choices = {.tile_tokens = {128, 64, 256}, .block_tokens = {128, 64}};
  c.notes =
      notes_of(gpus.row_rates(shape, kRateRows)) +
      fmt::format("launches: kernel_launch_microseconds = {:.3g}\n", 1e6 * gpus.launch_seconds());
  return c;
}

std::string percent(double share) { return fmt::format("{:.1f}%", 100 * share); }

void add_row(Table& table, const char* pass, const KernelFit& fit) {
  const KernelConstants& c = fit.constants;
  std::vector<std::string> row = {pass,
                                  std::to_string(fit.samples),
                                  percent(c.mean_error),
                                  percent(c.worst_error),
                                  percent(fit.fitted_mean_error),
                                  percent(fit.fitted_worst_error),
                                  std::to_string(c.tile_tokens),
                                  std::to_string(c.block_tokens)};
  for (double us : {c.call_us, c.segment_us, c.longest_us, c.tile_us, c.rows_us, c.block_us,
                    c.pairs_us, c.kv_block_us, c.empty_block_us}) {
    row.push_back(fmt::format("{:.4g}", us));
  }
  table.rows.push_back(row);
}

KernelConstants without_backward(const KernelConstants& forward) {
  KernelConstants c = forward;
  for (double* us :
       {&c.longest_us, &c.tile_us, &c.rows_us, &c.block_us, &c.pairs_us, &c.kv_block_us}) {
    *us *= kBackwardFlops;
  }
  c.mean_error = c.worst_error = -1;
  return c;
}

// What is usual on a GPU, and in tests of cores.
CalibrateFlags with_defaults(CalibrateFlags flags, bool gpu) {
  if (flags.shape.empty()) flags.shape = gpu ? "llama3_8b" : "tiny";
  if (flags.dtype.empty()) flags.dtype = gpu ? "bfloat16" : "float32";
  if (flags.kernel.empty()) flags.kernel = gpu ? kAutomatic : "fused";
  return flags;
}

int calibrate_nccl(const CalibrateFlags& flags, Format format) {
  const std::pair<const char*, const std::string*> others[] = {{"--shape", &flags.shape},
                                                               {"--dtype", &flags.dtype},
                                                               {"--kernel", &flags.kernel},
                                                               {"--calls", &flags.calls}};
  for (const auto& [name, value] : others) {
    if (!value->empty()) throw UserError(std::string(name) + " has no part in calibrate nccl");
  }
  const MeasuredLinks links = measure_links(flags.cluster);
  const std::string toml = cluster_toml(links.machine);
  parse_cluster({links.machine.name, flags.output, toml});  // refuses what nobody could read back
  write_atomically(flags.output, toml);
  std::string text = render(links.fits, format);
  if (format == Format::table) text += "wrote " + flags.output + "\n";
  print(text);
  return kExitOk;
}

int calibrate(const CalibrateFlags& flags) {
  const Format format = parse_format(flags.format);
  const auto named = [&](const char* word) {
    const bool found = std::ranges::find(flags.sources, word) != flags.sources.end();
    if (!found || flags.sources.size() == 1) return found;
    throw UserError(fmt::format("'{}' stands alone: the files are of another machine", word));
  };
  if (named("nccl")) return calibrate_nccl(flags, format);
  const bool cpu = named("cpu"), gpu = named("gpu");
  const CalibrateFlags here = cpu || gpu ? with_defaults(flags, gpu) : flags;
  Calibration c = cpu ? of_this_cpu(here) : gpu ? of_this_gpu(here) : of_files(flags);
  if (c.calls.forward.empty()) {
    throw UserError(flags.sources.front() +
                    ": no forward times; the backward pass can be derived "
                    "from them, but not the reverse");
  }
  Table table{{{"pass"},
               {"calls", true},
               {"mean error", true},
               {"worst error", true},
               {"fitted mean", true},
               {"fitted worst", true},
               {"tile", true},
               {"block", true},
               {"call us", true},
               {"segment us", true},
               {"longest us", true},
               {"tile us", true},
               {"rows us", true},
               {"block us", true},
               {"pairs us", true},
               {"kv block us", true},
               {"empty block us", true}},
              {}};
  const auto fit_pass = [&](const char* name, const std::vector<KernelSample>& calls,
                            KernelPass pass) {
    try {
      KernelFit fit = fit_kernel(calls, pass, c.model.gpu.sms, c.choices);
      if (!fit.empty_blocks && !cpu) {
        fit.constants.empty_block_us = kAssumedEmptyBlockUs;
        c.notes += fmt::format("{}: no call had empty blocks; their {} us are assumed\n", name,
                               kAssumedEmptyBlockUs);
      }
      add_row(table, name, fit);
      return fit.constants;
    } catch (const UserError& error) {
      throw UserError(fmt::format("{}, {}: {}", flags.sources.front(), name, error.what()));
    }
  };
  c.model.forward = fit_pass("forward", c.calls.forward, KernelPass::forward);
  if (c.calls.backward.empty()) {
    c.model.backward = without_backward(c.model.forward);
    c.model.source += "; backward not measured: 2.5 times forward";
    c.notes += "backward: not measured; 2.5 times forward\n";
  } else {
    c.model.backward = fit_pass("backward", c.calls.backward, KernelPass::backward);
  }
  write_atomically(flags.output, kernel_toml(c.model));
  if (!flags.calls.empty()) write_atomically(flags.calls, measured_calls_csv(c.calls));
  std::string text = render(table, format);
  if (format == Format::table) text += c.notes + "wrote " + flags.output + "\n";
  print(text);
  return kExitOk;
}

}  // namespace

void add_calibrate_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand(
      "calibrate",
      "Fits a kernel model to measured calls, or to calls run here; or the links between GPUs.\n"
      "Examples:\n"
      "  cpbench calibrate cpu --shape tiny --output my_cpu.toml\n"
      "  cpbench calibrate gpu --kernel cudnn --output my_gpu.toml --calls my_calls.csv\n"
      "  cpbench calibrate nccl --output my_cluster.toml\n"
      "  cpbench calibrate results/calibration/cudnn_h200.csv --cluster h200 --output my.toml\n"
      "\n"
      "Errors are relative, of calls that had no part in the fit (5-fold cross-validation); those "
      "of\nlinks are of the exchanges that were fitted.\n");
  auto flags = std::make_shared<CalibrateFlags>();
  command
      ->add_option("source", flags->sources,
                   "cpu, gpu, nccl, or CSV files of measured calls (columns: "
                   "workloads/README.md)")
      ->required();
  command->add_option("--output", flags->output, "the model's, or the cluster's, file")
      ->type_name("FILE.toml")
      ->required();
  command
      ->add_option("--cluster", flags->cluster,
                   "of files and nccl: the GPUs, a name of cpbench list clusters or a file [nccl: "
                   "by their name]")
      ->type_name("NAME");
  command
      ->add_option("--shape", flags->shape,
                   "of cpu and gpu: attention shape [tiny on cpu, llama3_8b on gpu]")
      ->type_name("NAME");
  command
      ->add_option("--dtype", flags->dtype,
                   "of cpu and gpu: element type [float32 on cpu, bfloat16 on gpu]")
      ->type_name("NAME");
  command->add_option("--kernel", flags->kernel, "of cpu and gpu [fused on cpu, auto on gpu]")
      ->type_name("NAME");
  command->add_option("--calls", flags->calls, "of cpu and gpu: also write the measured calls")
      ->type_name("FILE.csv");
  add_format_flag(*command, flags->format);
  command->callback([flags, &context] { context.exit_code = calibrate(*flags); });
}

}  // namespace cpbench
