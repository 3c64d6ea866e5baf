// Fits a kernel model to measured calls, or to calls that run here, and writes it as TOML. Or fits
// the links between GPUs, and writes them as a cluster file.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "harness/cli/calibrate_links.h"
#include "harness/cli/calibration_calls.h"
#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/human.h"
#include "harness/cli/table.h"
#include "harness/cli/text.h"
#include "harness/machines/clusters.h"
#include "harness/machines/kernel_models.h"
#include "harness/plan/errors.h"
#include "harness/run/gpu_jobs.h"
#include "harness/run/resolve.h"
#include "harness/spec/run_fields.h"
#include "harness/store/atomic_file.h"
#include "harness/store/provenance.h"
#include "workloads/shapes.h"

namespace cpbench {

namespace {

// The backward pass has 2.5 times the FLOPs of the forward pass.
constexpr double kBackwardFlops = 2.5;
// Rows of the buffers in which copies and merges are timed. With a few heads they exceed any core's
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
    throw UserError("--cluster is missing; it must name the GPU on which the calls were measured");
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
  at_origin("--shape", [&] { spec.shape = find_shape(flags.shape).attention; });
  at_origin("--dtype", [&] { set_field(*find_run_field("dtype"), spec, flags.dtype); });
  return spec.shape;
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
  // Without peak and memory bandwidth the model is not scaled to other machines.
  c.model.gpu.name = "one core of " + provenance({}, {}, {}).at("cpu_model");
  c.model.head_dim = shape.head_dim;
  c.model.source = fmt::format("kernel '{}' in {}, shape {}, timed by cpbench calibrate cpu",
                               flags.kernel, flags.dtype, flags.shape);
  // LibTorch's blocks of keys, and its tiles of queries in segments of under 192, under 768 and
  // more tokens.
  c.choices = {.tile_tokens = {64, 32, 256}, .block_tokens = {512}, .padded = false};
  c.notes = notes_of(measure_row_rates(shape, kRateRows));
  return c;
}

Calibration of_this_gpu(const CalibrateFlags& flags) {
  const AttentionShape shape = shape_of(flags);
  Gpus& gpus = open_gpus();
  const Gpu& gpu = gpus.all().front();
  const std::string kernel = gpus.kernel_for(flags.kernel, shape, 0);
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
  row.push_back(percent(c.sustained_slowdown));
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

// The shape, dtype and kernel that are usual on GPUs, and on cores.
CalibrateFlags with_defaults(CalibrateFlags flags, bool gpu) {
  if (flags.shape.empty()) flags.shape = gpu ? "llama3_8b" : "tiny";
  if (flags.dtype.empty()) flags.dtype = gpu ? "bfloat16" : "float32";
  if (flags.kernel.empty()) flags.kernel = gpu ? kAutomatic : "fused";
  return flags;
}

int calibrate_nccl(const CalibrateFlags& flags, Format format, const View& view) {
  const std::pair<const char*, const std::string*> others[] = {{"--shape", &flags.shape},
                                                               {"--dtype", &flags.dtype},
                                                               {"--kernel", &flags.kernel},
                                                               {"--calls", &flags.calls}};
  for (const auto& [name, value] : others) {
    if (!value->empty()) throw UserError(std::string(name) + " is not supported by calibrate nccl");
  }
  const MeasuredLinks links = measure_links(flags.cluster);
  const std::string toml = cluster_toml(links.machine);
  parse_cluster({links.machine.name, flags.output, toml});  // throws if it could not be read back
  write_atomically(flags.output, toml);
  std::string text = render(links.fits, format, view);
  if (format == Format::table) text += "\nwrote " + flags.output + "\n";
  print(text);
  return kExitOk;
}

int calibrate(const CalibrateFlags& flags, const ViewFlags& view_flags) {
  const Format format = parse_format(flags.format);
  const View view = view_flags.view(format);
  const auto named = [&](const char* word) {
    const bool found = std::ranges::find(flags.sources, word) != flags.sources.end();
    if (!found || flags.sources.size() == 1) return found;
    throw UserError(
        fmt::format("'{}' must be the only source: files have calls of another machine", word));
  };
  if (named("nccl")) return calibrate_nccl(flags, format, view);
  const bool cpu = named("cpu"), gpu = named("gpu");
  const CalibrateFlags here = cpu || gpu ? with_defaults(flags, gpu) : flags;
  Calibration c = cpu ? of_this_cpu(here) : gpu ? of_this_gpu(here) : of_files(flags);
  if (c.calls.forward.empty()) {
    throw UserError(flags.sources.front() +
                    ": no forward times; backward times can be derived from them, but not the "
                    "reverse");
  }
  Table table{{{"pass"},
               {"calls", true, 8},
               {"mean error", true, 9},
               {"worst error", true, 9},
               {"fitted mean", true, 7},
               {"fitted worst", true, 7},
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
               {"empty block us", true},
               {"sustained slowdown", true}},
              {}};
  const auto fit_pass = [&](const char* name, const std::vector<KernelSample>& calls,
                            KernelPass pass) {
    try {
      KernelFit fit = fit_kernel(calls, pass, c.model.gpu.sms, c.choices);
      if (!fit.empty_blocks && !cpu) {
        fit.constants.empty_block_us = kAssumedEmptyBlockUs;
        c.notes += fmt::format("{}: no call had empty blocks; {} us are assumed for each\n", name,
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
  std::string text = render(table, format, view);
  if (format == Format::table) {
    text += "\n" + paragraph(c.notes + "wrote " + flags.output, view.width);
  }
  print(text);
  return kExitOk;
}

}  // namespace

void add_calibrate_command(CLI::App& app, Context& context) {
  Command command(
      app, "calibrate",
      "Fits a kernel model to measured calls or to calls that run here, or links between GPUs.\n"
      "Examples:\n"
      "  cpbench calibrate cpu --shape tiny --output my_cpu.toml\n"
      "  cpbench calibrate gpu --kernel cudnn --output my_gpu.toml --calls my.csv\n"
      "  cpbench calibrate nccl --output my_cluster.toml\n"
      "  cpbench calibrate results/calibration/cudnn_h200.csv --cluster h200 \\\n"
      "      --output my.toml\n"
      "\n"
      "Errors are relative errors of calls that were not used in the fit (5-fold "
      "cross-validation). Errors of links are those of the exchanges that were fitted.\n");
  auto flags = std::make_shared<CalibrateFlags>();
  command.arguments("source", flags->sources,
                    "cpu, gpu, nccl, or CSV files of measured calls (columns: "
                    "harness/machines/README.md)",
                    "NAME");
  command.required_option("--output", flags->output,
                          "file to write the kernel model or the cluster to", "FILE.toml");
  command.option("--cluster", flags->cluster,
                 "with files and nccl: cluster that has the GPUs, by name or TOML file [nccl: "
                 "the shipped one that has them]",
                 "NAME");
  command.option("--shape", flags->shape,
                 "with cpu and gpu: attention shape [cpu: tiny, gpu: llama3_8b]", "NAME");
  command.option("--dtype", flags->dtype,
                 "with cpu and gpu: element type [cpu: float32, gpu: bfloat16]", "NAME");
  command.option("--kernel", flags->kernel,
                 "with cpu and gpu: attention kernel [cpu: fused, gpu: auto]", "NAME");
  command.option("--calls", flags->calls, "with cpu and gpu: file to write the measured calls to",
                 "FILE.csv");
  add_format_flag(command, flags->format);
  auto view = std::make_shared<ViewFlags>(command);
  command.action([flags, view, &context] { context.exit_code = calibrate(*flags, *view); });
}

}  // namespace cpbench
