#include "harness/store/provenance.h"

#include <H5public.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>

#include "build_info.h"   // CPBENCH_*: the compiler, flags, build type, libraries
#include "git_version.h"  // CPBENCH_GIT_*: every build checks them
#include "harness/plan/text_hash.h"
#include "harness/store/shell_text.h"

namespace cpbench {
namespace {

// Variables that may change times or numbers, and tell nothing about the person.
constexpr const char* kEnvironment =
    "OMP_NUM_THREADS OMP_PROC_BIND OMP_PLACES GOMP_CPU_AFFINITY KMP_AFFINITY MKL_NUM_THREADS "
    "MKL_DYNAMIC OPENBLAS_NUM_THREADS OPENBLAS_CORETYPE ONEDNN_MAX_CPU_ISA ATEN_CPU_CAPABILITY "
    "MALLOC_ARENA_MAX CUDA_VISIBLE_DEVICES CUDA_LAUNCH_BLOCKING CUDA_MODULE_LOADING "
    "CUDA_DEVICE_MAX_CONNECTIONS NCCL_ALGO NCCL_PROTO NCCL_NTHREADS NCCL_BUFFSIZE NCCL_MIN_CTAS "
    "NCCL_MAX_CTAS NCCL_CTA_POLICY NCCL_CGA_CLUSTER_SIZE NCCL_MIN_NCHANNELS NCCL_MAX_NCHANNELS "
    "NCCL_NCHANNELS_PER_NET_PEER NCCL_MIN_P2P_NCHANNELS NCCL_MAX_P2P_NCHANNELS "
    "NCCL_P2P_NVL_CHUNKSIZE NCCL_NVLS_ENABLE NCCL_CUMEM_ENABLE NCCL_WIN_ENABLE NCCL_P2P_DISABLE "
    "NCCL_P2P_LEVEL NCCL_SHM_DISABLE NCCL_IB_DISABLE NCCL_NET NCCL_NET_GDR_LEVEL "
    "NCCL_GRAPH_REGISTER NCCL_LOCAL_REGISTER NCCL_LAUNCH_MODE NCCL_RUNTIME_CONNECT "
    "NCCL_TUNER_PLUGIN OMPI_COMM_WORLD_SIZE SLURM_NNODES SLURM_NTASKS WORLD_SIZE";

std::string environment() {
  std::string text;
  std::istringstream names(kEnvironment);
  for (std::string name; names >> name;) {
    if (const char* value = std::getenv(name.c_str())) {
      text += (text.empty() ? "" : "\n") + name + "=" + value;
    }
  }
  return text;
}

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    // The key is "model name" on x86, and "Processor" in some ARM kernels.
    if (line.starts_with("model name") || line.starts_with("Processor")) {
      const size_t colon = line.find(':');
      if (colon != std::string::npos && colon + 2 <= line.size()) return line.substr(colon + 2);
    }
  }
  utsname system{};
  return uname(&system) == 0 ? system.machine : "unknown";
}

int cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

std::string hostname() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

std::string kernel() {
  utsname system{};
  if (uname(&system) != 0) return "unknown";
  return std::string(system.sysname) + " " + system.release;
}

std::string utc(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string hdf5_version() {
  // Only once, because the library must not be called while another thread writes a file.
  static const std::string version = [] {
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release);
  }();
  return version;
}

}  // namespace

bool is_debug_build() {
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

std::map<std::string, std::string> provenance(const std::vector<std::string>& command_line,
                                              std::chrono::system_clock::time_point start,
                                              std::chrono::system_clock::time_point end) {
  const std::string model = cpu_model(), core_count = std::to_string(cores());
  return {
      {"git_sha", CPBENCH_GIT_SHA},
      {"git_dirty", CPBENCH_GIT_DIRTY},
      {"compiler", CPBENCH_COMPILER},
      {"compiler_flags", CPBENCH_COMPILER_FLAGS},
      {"build_type", CPBENCH_BUILD_TYPE},
      {"debug_build", is_debug_build() ? "yes" : "no"},
      {"libtorch", CPBENCH_LIBTORCH_VERSION},
      {"hdf5", hdf5_version()},
      {"cuda", "none"},
      {"mpi", "none"},
      {"kernel", kernel()},
      {"cpu_model", model},
      {"cores", core_count},
      {"hostname_hash", hex16(hash_of_text(hostname()))},
      {"machine", hex16(hash_of_text(model + "\n" + core_count + "\n" + hostname()))},
      {"command_line", shell_text(command_line)},
      {"environment", environment()},
      {"start_utc", utc(start)},
      {"end_utc", utc(end)},
  };
}

}  // namespace cpbench
