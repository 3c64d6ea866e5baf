#include "harness/store/cell_attributes.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>
#include <sstream>

#include "harness/plan/names.h"

namespace cpbench {
namespace {

std::string unescaped(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
    } else {
      ++i;
      out += text[i] == 'n' ? '\n' : text[i];
    }
  }
  return out;
}

// Position of `wanted` outside escapes, from `start`; npos if none.
size_t find_plain(const std::string& text, char wanted, size_t start) {
  for (size_t i = start; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == wanted) {
      return i;
    }
  }
  return std::string::npos;
}

class Attributes {
 public:
  explicit Attributes(const Hdf5Reader& file) : file_(file), values_(file.attributes("/")) {}

  const std::string& raw(const std::string& name) const {
    const auto it = values_.find(name);
    if (it == values_.end()) file_.fail("attribute /@" + name + " is missing");
    return it->second;
  }
  bool has(const std::string& name) const { return values_.contains(name); }
  std::string text(const std::string& name) const { return unescaped(raw(name)); }

  template <typename Number>
  void number(const std::string& name, Number& out) const {
    const std::string& text = raw(name);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size()) {
      bad(name, std::is_integral_v<Number> ? "a whole number" : "a number");
    }
  }
  template <typename Enum>
  Enum named(const std::string& name, std::optional<Enum> (*find)(const std::string&)) const {
    const std::optional<Enum> value = find(raw(name));
    if (!value) bad(name, "a known " + name);
    return *value;
  }
  std::map<std::string, std::string> options() const {
    const std::string& all = raw("options");
    std::map<std::string, std::string> options;
    for (size_t start = 0; start < all.size();) {
      const size_t end = std::min(find_plain(all, ',', start), all.size());
      const std::string item = all.substr(start, end - start);
      const size_t equals = find_plain(item, '=', 0);
      if (equals == std::string::npos) bad("options", "name=value,...");
      options[unescaped(item.substr(0, equals))] = unescaped(item.substr(equals + 1));
      start = end + 1;
    }
    return options;
  }
  [[noreturn]] void bad(const std::string& name, const std::string& want) const {
    file_.fail(fmt::format("/@{} is '{}'; must be {}", name, raw(name), want));
  }

 private:
  const Hdf5Reader& file_;
  std::map<std::string, std::string> values_;
};

}  // namespace

void write_cell(Hdf5Writer& file, const Cell& cell) {
  std::istringstream lines(canonical_text(cell));
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find('=');
    file.attribute("/", line.substr(0, equals), line.substr(equals + 1));
  }
  // What stands in the canonical text only if it is not the default.
  const Cell none;
  if (cell.cached == none.cached) file.attribute("/", "cached", "0");
  if (cell.cluster == none.cluster) file.attribute("/", "cluster", cell.cluster);
  if (cell.network == none.network) file.attribute("/", "network", cell.network);
  if (cell.profile == none.profile) file.attribute("/", "profile", cell.profile);
  if (!cell.graph) file.attribute("/", "graph", "off");
}

Cell read_cell(const Hdf5Reader& file) {
  const Attributes in(file);
  Cell cell;
  cell.strategy = in.text("strategy");
  cell.options = in.options();
  cell.workload = in.text("workload");
  cell.packing = in.text("packing");
  in.number("tokens", cell.tokens);
  in.number("packs", cell.packs);
  in.number("ranks", cell.ranks);
  in.number("nodes", cell.nodes);
  if (in.has("cluster")) {  // since schema 1.2.0
    cell.cluster = in.text("cluster");
    cell.network = in.text("network");
    cell.profile = in.text("profile");
  }
  cell.shape_name = in.text("shape_name");
  in.number("query_heads", cell.shape.query_heads);
  in.number("kv_heads", cell.shape.kv_heads);
  in.number("head_dim", cell.shape.head_dim);
  in.number("value_head_dim", cell.shape.value_head_dim);
  cell.shape.dtype = in.named<Dtype>("dtype", dtype_named);
  in.number("hidden_size", cell.shape.hidden_size);
  in.number("ffn_size", cell.shape.ffn_size);
  cell.mask = in.named<Mask>("mask", mask_named);
  in.number("window", cell.window);
  if (in.has("cached")) in.number("cached", cell.cached);  // since schema 1.1.0
  cell.backend = in.text("backend");
  cell.kernel = in.text("kernel");
  cell.graph = in.has("graph") && in.text("graph") == "on";  // since schema 1.3.0
  const std::string& direction = in.raw("direction");
  if (direction != "forward" && direction != "both") in.bad("direction", "forward or both");
  cell.passes = direction == "both" ? Passes::both : Passes::forward;
  in.number("warmup", cell.warmup);
  in.number("iterations", cell.iterations);
  in.number("seed", cell.seed);
  return cell;
}

}  // namespace cpbench
