#include "harness/execute/processes/place_ranks.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

std::string count(int64_t number, const std::string& what, const std::string& plural) {
  return std::to_string(number) + " " + (number == 1 ? what : plural);
}

std::string gpus_text(int64_t number) { return count(number, "GPU", "GPUs"); }

// The processes on the same node that see the same GPUs, including this one. Throws if a process
// sees only some of them.
std::vector<int32_t> sharers_of(int32_t process, const std::vector<GpusOfProcess>& processes) {
  const std::set<std::string> mine(processes[process].gpus.begin(), processes[process].gpus.end());
  std::vector<int32_t> sharers;
  for (int32_t other = 0; other < std::ssize(processes); ++other) {
    if (processes[other].node != processes[process].node) continue;
    const std::set<std::string> theirs(processes[other].gpus.begin(), processes[other].gpus.end());
    if (theirs == mine) {
      sharers.push_back(other);
    } else if (std::ranges::any_of(theirs, [&](const auto& gpu) { return mine.contains(gpu); })) {
      throw UserError(
          "processes " + std::to_string(process) + " and " + std::to_string(other) +
          " see some of the same GPUs: the processes of a node must see either the same "
          "GPUs or different ones (CUDA_VISIBLE_DEVICES)");
    }
  }
  return sharers;
}

std::vector<int32_t> devices_of(int32_t process, const std::vector<GpusOfProcess>& processes) {
  const int64_t gpus = std::ssize(processes[process].gpus);
  if (gpus == 0) {
    throw UserError("process " + std::to_string(process) + " on " + processes[process].node +
                    " sees no GPU");
  }
  const std::vector<int32_t> sharers = sharers_of(process, processes);
  const int64_t shares = std::ssize(sharers);
  if (shares > gpus) {
    throw UserError(count(shares, "process", "processes") + " on " + processes[process].node +
                    " share " + gpus_text(gpus) + ": start at most one process per GPU");
  }
  const int64_t place = std::ranges::find(sharers, process) - sharers.begin();
  std::vector<int32_t> devices;
  for (int64_t i = gpus * place / shares; i < gpus * (place + 1) / shares; ++i) {
    devices.push_back(static_cast<int32_t>(i));
  }
  return devices;
}

// "2 processes with 4 GPUs each have 8", "2 processes with 4 and 2 GPUs have 6", "this process has
// 8".
std::string inventory(const std::vector<RanksOfProcess>& processes) {
  int64_t sum = 0;
  bool uniform = true;
  std::string list;
  for (const RanksOfProcess& process : processes) {
    const size_t gpus = process.devices.size();
    sum += static_cast<int64_t>(gpus);
    uniform = uniform && gpus == processes.front().devices.size();
    const bool is_last = &process == &processes.back();
    list += (list.empty() ? "" : is_last ? " and " : ", ") + std::to_string(gpus);
  }
  if (processes.size() == 1) return "this process has " + std::to_string(sum);
  return std::to_string(processes.size()) + " processes with " +
         (uniform ? gpus_text(std::ssize(processes.front().devices)) + " each" : list + " GPUs") +
         " have " + std::to_string(sum);
}

}  // namespace

std::vector<RanksOfProcess> place_ranks(int32_t ranks, int32_t nodes,
                                        const std::vector<GpusOfProcess>& processes) {
  std::vector<RanksOfProcess> placed(processes.size());
  std::vector<std::string> hosts;  // in the order of their first processes
  int64_t gpus = 0;
  for (int32_t i = 0; i < std::ssize(processes); ++i) {
    placed[i].devices = devices_of(i, processes);
    gpus += std::ssize(placed[i].devices);
    const std::string& node = processes[i].node;
    if (std::ranges::find(hosts, node) == hosts.end()) hosts.push_back(node);
  }
  if (ranks > gpus) {
    throw UserError(count(ranks, "rank needs", "ranks need") + " " + gpus_text(ranks) + "; " +
                    inventory(placed));
  }
  const bool spread = hosts.size() > 1;
  if (spread && nodes > std::ssize(hosts)) {
    throw UserError(std::to_string(nodes) + " nodes need processes on as many; these are on " +
                    std::to_string(hosts.size()));
  }
  const int32_t ranks_on_node = spread ? ranks / nodes : ranks;
  int32_t next = 0;
  for (size_t host = 0; host < hosts.size(); ++host) {
    const int32_t end = std::min(ranks, next + ranks_on_node);
    for (size_t i = 0; i < processes.size(); ++i) {
      if (processes[i].node != hosts[host]) continue;
      RanksOfProcess& process = placed[i];
      process.first_rank = next;
      next = std::min(end, next + static_cast<int32_t>(process.devices.size()));
      process.devices.resize(next - process.first_rank);
    }
    if (next < end) {
      throw UserError(count(ranks, "rank", "ranks") + " on " + count(nodes, "node", "nodes") +
                      " need " + gpus_text(ranks_on_node) + " on each; " + hosts[host] + " has " +
                      std::to_string(next - (end - ranks_on_node)) + ", and there are " +
                      count(std::ssize(hosts), "node", "nodes"));
    }
  }
  return placed;
}

std::vector<GpusOfProcess> gather_gpus(ProcessGroup& group, const GpusOfProcess& mine) {
  std::string text = mine.node;
  for (const std::string& gpu : mine.gpus) text += " " + gpu;
  std::vector<GpusOfProcess> processes;
  for (const std::string& line : group.gather(text)) {
    std::istringstream words(line);
    GpusOfProcess& process = processes.emplace_back();
    words >> process.node;
    for (std::string gpu; words >> gpu;) process.gpus.push_back(gpu);
  }
  return processes;
}

std::string node_name() {
  if (const char* host = std::getenv("NCCL_HOSTID")) return host;
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace cpbench
