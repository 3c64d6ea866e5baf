#include "harness/run/machine_here.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>

#include "harness/execute/execute.h"
#include "harness/machines/clusters.h"
#include "harness/programs/find_program.h"
#include "harness/store/provenance.h"

namespace cpbench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kCopyBytes = size_t{32} << 20;  // beyond any core's share of a cache
constexpr double kCopySeconds = 0.5;             // every core copies for so long at least
constexpr int kMessages = 2000;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Bytes read and written per second by one core while all of them copy.
double copied_bytes_per_second(int cores) {
  std::atomic<int> ready = 0;
  std::vector<double> rates(static_cast<size_t>(cores));
  std::vector<std::thread> threads;
  for (int core = 0; core < cores; ++core) {
    threads.emplace_back([&, core] {
      std::vector<char> from(kCopyBytes, 1), to(kCopyBytes, 2);
      ++ready;
      while (ready < cores) std::this_thread::yield();
      const Clock::time_point start = Clock::now();
      double bytes = 0;
      while (since(start) < kCopySeconds) {
        std::memcpy(to.data(), from.data(), kCopyBytes);
        std::swap(from, to);
        bytes += 2.0 * kCopyBytes;
      }
      rates[static_cast<size_t>(core)] = bytes / since(start);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return *std::min_element(rates.begin(), rates.end());
}

// From one thread's word to another that waits for it, on average.
double message_seconds() {
  std::mutex mutex;
  std::condition_variable turned;
  int turn = 0;
  const auto play = [&](int own) {
    for (int i = 0; i < kMessages; ++i) {
      std::unique_lock lock(mutex);
      turned.wait(lock, [&] { return turn == own; });
      turn = 1 - own;
      turned.notify_one();
    }
  };
  const Clock::time_point start = Clock::now();
  std::thread other([&] { play(1); });
  play(0);
  other.join();
  return since(start) / (2.0 * kMessages);
}

// What a command prints; "" if it cannot be run.
std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  if (!pipe) return "";
  std::string text;
  char buffer[4096];
  for (size_t read; (read = fread(buffer, 1, sizeof buffer, pipe.get())) > 0;) {
    text.append(buffer, read);
  }
  return text;
}

// As the driver names them: variants with other links, memory or clocks have other names.
struct KnownGpu {
  const char* name;
  const char* cluster;
};
constexpr KnownGpu kKnownGpus[] = {{"NVIDIA A100-SXM4-80GB", "a100_80g"},
                                   {"NVIDIA H100 80GB HBM3", "h100"},
                                   {"NVIDIA H200", "h200"},
                                   {"NVIDIA H20", "h20"},
                                   {"NVIDIA B200", "b200"}};

}  // namespace

std::vector<ListedGpu> parse_gpus(const std::string& csv) {
  std::vector<ListedGpu> gpus;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    const size_t comma = line.rfind(", ");
    if (comma == std::string::npos) continue;
    double mebibytes = 0;
    const char* begin = line.data() + comma + 2;
    if (std::from_chars(begin, line.data() + line.size(), mebibytes).ec != std::errc()) continue;
    gpus.push_back({line.substr(0, comma), mebibytes * 1024 * 1024});
  }
  return gpus;
}

std::vector<ListedGpu> gpus_here() {
  if (find_program("nvidia-smi").empty()) return {};
  return parse_gpus(output_of(
      "nvidia-smi --query-gpu=name,memory.total --format=csv,noheader,nounits 2>/dev/null"));
}

std::optional<ClusterModel> machine_of_gpus(const std::vector<ListedGpu>& gpus) {
  if (gpus.empty()) return std::nullopt;
  for (const ListedGpu& gpu : gpus) {
    if (gpu.name != gpus.front().name) return std::nullopt;
  }
  for (const KnownGpu& known : kKnownGpus) {
    if (gpus.front().name != known.name) continue;
    ClusterModel machine = find_cluster(known.cluster);
    machine.cluster.gpus_per_node = static_cast<int32_t>(gpus.size());
    machine.cluster.memory_bytes = gpus.front().memory_bytes;
    machine.description = fmt::format("{} x {}", gpus.size(), gpus.front().name);
    machine.source =
        fmt::format("names and memory from nvidia-smi; the rest is cluster '{}'", known.cluster);
    return machine;
  }
  return std::nullopt;
}

ClusterModel machine_of_cores() {
  const int cores = usable_cores();
  ClusterModel machine;
  machine.description =
      fmt::format("{} cores of {}, one rank each", cores, provenance({}, {}, {}).at("cpu_model"));
  machine.source =
      "measured by cpbench doctor: matrix product of one core in float32, copies of "
      "all cores at once, messages between two threads";
  machine.sms = 1;
  machine.kernel = "fa2_h100";  // scaled to the core until `calibrate` has fitted one
  machine.gemm_efficiency = 1;  // the peak is that of a matrix product
  machine.cluster.gpus_per_node = cores;
  machine.cluster.peak_flops_per_second = core_peak_flops_per_second(Dtype::float32);
  machine.cluster.memory_bytes = static_cast<double>(memory_bytes_here()) / cores;
  machine.cluster.memory_bytes_per_second = copied_bytes_per_second(cores);
  machine.achieved_memory_bytes_per_second = machine.cluster.memory_bytes_per_second;
  // A message between ranks is a copy: each byte is read and written.
  machine.cluster.intra_node_bytes_per_second = machine.cluster.memory_bytes_per_second / 2;
  machine.intra_node = {message_seconds(), machine.cluster.intra_node_bytes_per_second};
  return machine;
}

int32_t usable_cores() {
  return static_cast<int32_t>(std::max(1u, std::thread::hardware_concurrency()));
}

int64_t memory_bytes_here() {
  const int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? pages * page : 0;
}

}  // namespace cpbench
