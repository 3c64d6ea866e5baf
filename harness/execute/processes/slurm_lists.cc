#include "harness/execute/processes/slurm_lists.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <stdexcept>
#include <string_view>

#include "harness/plan/shown.h"

namespace cpbench {
namespace {

[[noreturn]] void refuse(const char* what, const std::string& list) {
  throw std::invalid_argument("'" + shown(list) + "' is not " + what);
}

// Removes the number at the start of the text and returns it; -1 if there is none.
int32_t take_number(std::string_view& text) {
  int32_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return -1;
  text.remove_prefix(end - text.data());
  return number;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

// A host may have several brackets ("rack[1-2]node[01-16]"). The first number of each, with its
// leading zeros, makes the first host.
std::string first_host(const std::string& hosts) {
  constexpr const char* kWhat = "a list of hosts such as gpu[003-006,9],login1";
  std::string host;
  for (size_t i = 0; i < hosts.size() && hosts[i] != ','; ++i) {
    if (hosts[i] != '[') {
      host += hosts[i];
      continue;
    }
    const size_t close = hosts.find(']', i);
    const size_t end = std::min(hosts.find_first_of(",-", i), close);
    const std::string number = hosts.substr(i + 1, end - i - 1);
    const bool digits = std::all_of(number.begin(), number.end(),
                                    [](unsigned char c) { return std::isdigit(c) != 0; });
    if (close == std::string::npos || number.empty() || !digits) refuse(kWhat, hosts);
    host += number;
    i = close;
  }
  if (host.empty() || host.find_first_of("] ") != std::string::npos) refuse(kWhat, hosts);
  return host;
}

int32_t tasks_on_node(const std::string& tasks_per_node, int32_t node) {
  constexpr const char* kWhat = "a list of tasks per node such as 4(x2),1";
  std::string_view rest = tasks_per_node;
  int32_t first_node = 0;
  do {
    const int32_t tasks = take_number(rest);
    int32_t nodes = 1;
    if (take(rest, "(x")) {
      nodes = take_number(rest);
      if (!take(rest, ")")) nodes = -1;
    }
    if (tasks < 1 || nodes < 1) refuse(kWhat, tasks_per_node);
    first_node += nodes;
    if (node < first_node) return tasks;
  } while (take(rest, ","));
  if (!rest.empty()) refuse(kWhat, tasks_per_node);
  throw std::invalid_argument("'" + tasks_per_node + "' has no node " + std::to_string(node));
}

}  // namespace cpbench
