#include "harness/measure/result.h"

#include <charconv>
#include <vector>

#include "harness/measure/text_hash.h"
#include "harness/plan/names.h"

namespace cpbench {
namespace {

// So that no value can look like a separator or a second line.
std::string escaped(const std::string& text, const std::string& special) {
  std::string out;
  for (char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || special.find(c) != std::string::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string options_text(const std::map<std::string, std::string>& options) {
  std::string text;
  for (const auto& [name, value] : options) {
    text += (text.empty() ? "" : ",") + escaped(name, ",=") + "=" + escaped(value, ",=");
  }
  return text;
}

// The shortest text that reads back to the same number.
std::string shortest_text(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

}  // namespace

const char* name_of(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::oom:
      return "oom";
    case Status::unsupported:
      return "unsupported";
    case Status::failed:
      return "failed";
  }
  return "failed";
}

std::string canonical_text(const Cell& cell) {
  std::map<std::string, std::string> lines = {
      {"strategy", escaped(cell.strategy, "")},
      {"options", options_text(cell.options)},
      {"workload", escaped(cell.workload, "")},
      {"packing", escaped(cell.packing, "")},
      {"tokens", std::to_string(cell.tokens)},
      {"packs", std::to_string(cell.packs)},
      {"ranks", std::to_string(cell.ranks)},
      {"nodes", std::to_string(cell.nodes)},
      {"shape_name", escaped(cell.shape_name, "")},
      {"query_heads", std::to_string(cell.shape.query_heads)},
      {"kv_heads", std::to_string(cell.shape.kv_heads)},
      {"head_dim", std::to_string(cell.shape.head_dim)},
      {"value_head_dim", std::to_string(cell.shape.value_head_dim)},
      {"dtype", name_of(cell.shape.dtype)},
      {"hidden_size", std::to_string(cell.shape.hidden_size)},
      {"ffn_size", std::to_string(cell.shape.ffn_size)},
      {"mask", name_of(cell.mask)},
      {"window", std::to_string(cell.window)},
      {"backend", escaped(cell.backend, "")},
      {"kernel", escaped(cell.kernel, "")},
      {"direction", cell.passes == Passes::both ? "both" : "forward"},
      {"warmup", std::to_string(cell.warmup)},
      {"iterations", std::to_string(cell.iterations)},
      {"seed", std::to_string(cell.seed)},
  };
  const Cell none;
  if (cell.cached != 0) lines["cached"] = shortest_text(cell.cached);
  if (cell.cluster != none.cluster) lines["cluster"] = escaped(cell.cluster, "");
  if (cell.network != none.network) lines["network"] = escaped(cell.network, "");
  if (cell.graph) lines["graph"] = "on";
  if (cell.profile != none.profile) lines["profile"] = escaped(cell.profile, "");
  std::string text;
  for (const auto& [name, value] : lines) text += name + "=" + value + "\n";
  return text;
}

std::string run_id(const Cell& cell) { return hex16(hash_of_text(canonical_text(cell))); }

}  // namespace cpbench
