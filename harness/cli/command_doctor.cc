// What this machine has and what is missing, with how to get it; the machine as a cluster file; or
// the bus bandwidths of a simulated cluster.
#include <fmt/format.h>

#include <optional>

#include "harness/cli/bus_bandwidths.h"
#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/human.h"
#include "harness/cli/table.h"
#include "harness/cli/terminal.h"
#include "harness/execute/gpus/gpu.h"
#include "harness/machines/clusters.h"
#include "harness/plan/errors.h"
#include "harness/programs/find_program.h"
#include "harness/run/machine_here.h"
#include "harness/store/provenance.h"

namespace cpbench {

namespace {

struct Finding {
  std::string name, found, used_for, how_to_get;  // how_to_get: only of what is missing
};

Finding library(const std::string& name, bool there, const std::string& used_for,
                const std::string& package) {
  if (there) return {name, "yes", used_for, ""};
  return {name, "no", used_for, "apt-get install " + package + ", then scripts/build"};
}

Finding program(const std::string& name, const std::string& file, const std::string& used_for,
                const std::string& how_to_get) {
  const std::string path = find_program(file);
  if (!path.empty()) return {name, path, used_for, ""};
  return {name, "no", used_for, how_to_get};
}

std::string gpu_text(const std::vector<ListedGpu>& gpus) {
  std::string text;
  for (size_t i = 0, same = 0; i < gpus.size(); i += same) {
    for (same = 1; i + same < gpus.size() && gpus[i + same].name == gpus[i].name;) ++same;
    text += fmt::format("{}{} x {}, {:.4g} GB each", text.empty() ? "" : "; ", same, gpus[i].name,
                        gpus[i].memory_bytes / 1e9);
  }
  return text.empty() ? "none" : text;
}

Finding gpu_libraries() {
  Finding finding{"GPU code", "no", "backends nccl, cuda and replay", ""};
  try {
    const auto versions = gpu_library_versions();
    finding.found = fmt::format("CUDA {}, NCCL {}", versions.at("cuda"), versions.at("nccl"));
    if (versions.contains("cudnn")) finding.found += ", cuDNN " + versions.at("cudnn");
    if (versions.contains("flash_attn_3")) {
      finding.found += ", FlashAttention-3 " + versions.at("flash_attn_3");
    }
  } catch (const UserError& error) {
    finding.how_to_get = error.what();
  }
  return finding;
}

std::vector<Finding> findings() {
  const auto built = provenance({}, {}, {});
  return {
      {"cores", fmt::format("{} of {}", usable_cores(), built.at("cpu_model")),
       "ranks of backend threads, one per core", ""},
      {"memory", short_bytes(static_cast<double>(memory_bytes_here())), "tensors of all ranks", ""},
      {"build", built.at("compiler") + ", " + built.at("build_type"),
       built.at("debug_build") == "yes" ? "not optimised: timings are not meaningful" : "timings",
       ""},
      {"LibTorch", built.at("libtorch"), "backend threads", ""},
      {"HDF5", built.at("hdf5"), "result files", ""},
      library("CBC", CPBENCH_FOUND_CBC, "exact solvers of flashcp and flexsp", "coinor-libcbc-dev"),
      library("METIS", CPBENCH_FOUND_METIS, "partitions of dcp", "libmetis-dev"),
      library("Protobuf", CPBENCH_FOUND_PROTOBUF, "Chakra traces",
              "libprotobuf-dev protobuf-compiler"),
      program("SimGrid", "cpbench-simgrid", "simulations with network simgrid",
              "apt-get install libsimgrid-dev, then scripts/build"),
      program("MPI", "mpirun", "backend mpi: ranks as processes",
              "apt-get install openmpi-bin libopenmpi-dev, then scripts/build"),
      program("NVIDIA driver", "nvidia-smi", "GPUs",
              "NVIDIA's driver, if this machine has a GPU; only GPUs need it"),
      gpu_libraries(),
      {"GPUs", gpu_text(gpus_here()), "backends nccl, cuda and replay", ""},
  };
}

// A person fills in the rest: as it is, the file is refused because keys are missing.
std::string unknown_gpu_toml(const std::vector<ListedGpu>& gpus) {
  return fmt::format(
      "description = \"{} x {}\"\n"
      "gpus_per_node = {}\n"
      "memory_gigabytes = {:.6g}\n"
      "# No shipped cluster has these GPUs. Fill in from their data sheet, and remove the '#':\n"
      "# sms =\n# kernel =                             # of cpbench list kernels\n"
      "# peak_teraflops_per_second =          # dense, bf16\n# memory_gigabytes_per_second =\n"
      "# gemm_efficiency =\n# intra_node_gigabytes_per_second =\n"
      "# intra_node_latency_microseconds =\n",
      gpus.size(), gpus.front().name, gpus.size(), gpus.front().memory_bytes / 1e9);
}

std::string cluster_of_this_machine() {
  const std::vector<ListedGpu> gpus = gpus_here();
  if (!gpus.empty()) {
    const std::optional<ClusterModel> known = machine_of_gpus(gpus);
    return known ? cluster_toml(*known) : unknown_gpu_toml(gpus);
  }
  fmt::print(stderr, "cpbench: measuring this machine's cores; keep them otherwise idle\n");
  return "# This machine has no GPU: one rank per core, for dtype float32. The kernel model below "
         "is "
         "a\n"
         "# GPU's, scaled; a better one is the file of: cpbench calibrate cpu --output cpu.toml\n" +
         cluster_toml(machine_of_cores());
}

constexpr const char* kHere = "";  // --cluster without a name

int doctor(const std::optional<std::string>& cluster, const std::string& format_name) {
  const Format format = parse_format(format_name);
  if (cluster) {
    print(*cluster == kHere ? cluster_of_this_machine()
                            : bus_bandwidths(*cluster, format, {.width = terminal_width()}));
    return kExitOk;
  }
  Table table{{{"name"}, {"found"}, {"used for"}, {"how to get it"}}, {}, true};
  for (const Finding& finding : findings()) {
    table.rows.push_back({finding.name, finding.found, finding.used_for, finding.how_to_get});
  }
  print(render(table, format, {.width = terminal_width()}));
  return kExitOk;
}

}  // namespace

void add_doctor_command(CLI::App& app, Context& context) {
  Command command(
      app, "doctor",
      "Shows what this machine has and what is missing, or describes it as a cluster file. With "
      "the "
      "name of a cluster, shows the bus bandwidths that its simulated collectives reach.\n"
      "Examples:\n"
      "  cpbench doctor\n"
      "  cpbench doctor --cluster > here.toml\n"
      "  cpbench doctor --cluster h100\n");
  auto cluster = std::make_shared<std::optional<std::string>>();
  auto format = std::make_shared<std::string>();
  command.flag_or_option(
      "--cluster", *cluster,
      "without a name: print a cluster file (TOML) that describes this machine, for run --cluster; "
      "measures the cores if there is no GPU. With the name or file of a cluster: print what "
      "nccl-tests would print there",
      "[NAME]");
  add_format_flag(command, *format);
  command.action([cluster, format, &context] { context.exit_code = doctor(*cluster, *format); });
}

}  // namespace cpbench
