// From the lists of a suite to cells: multiply out, check, put into one form, drop repetitions.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/cli/backends.h"
#include "harness/cli/parameters.h"
#include "harness/cli/suite.h"
#include "harness/execute/execute.h"
#include "harness/plan/errors.h"
#include "harness/simulate/run_simgrid.h"
#include "workloads/clusters.h"
#include "workloads/kernels.h"
#include "workloads/profiles.h"

namespace cpbench {

namespace {

// Runs a check and puts the place of the value before its message.
template <typename Function>
void at(const std::string& origin, Function function) {
  try {
    function();
  } catch (const UserError& error) {
    throw UserError(origin + ": " + error.what());
  }
}

Values values_of(const Product& product, const RunParameter& parameter) {
  const auto found = product.parameters.find(parameter.name);
  if (found == product.parameters.end()) {
    if (!parameter.default_value.empty()) return {{parameter.default_value}, parameter.name};
    if (parameter.name == "window") return {{""}, parameter.name};
    throw UserError("no " + parameter.name + " is given; name one with --" + parameter.name +
                    " or in a suite, see cpbench list " +
                    (parameter.name == "strategy" ? "strategies" : "workloads"));
  }
  Values values = found->second;
  if (parameter.name == "strategy" && values.values == std::vector<std::string>{"all"}) {
    values.values = strategy_names();
  }
  return values;
}

void apply_settings(const Product& product, Cell& cell) {
  for (const std::string& text : product.settings.values) {
    at(product.settings.origin, [&] {
      const OptionSetting setting = parse_setting(text);
      // What the strategy's own entry says is nearer and wins: "flashcp:ratio=1.2".
      if (setting.strategy == cell.strategy) cell.options.emplace(setting.option, setting.value);
    });
  }
  cell.options = changed_options(cell.strategy, cell.options);
}

void require_used(const Product& product, const std::vector<Cell>& cells) {
  for (const std::string& text : product.settings.values) {
    at(product.settings.origin, [&] {
      const std::string name = parse_setting(text).strategy;
      for (const Cell& cell : cells) {
        if (cell.strategy == name) return;
      }
      throw UserError("'" + text + "' sets an option of " + name +
                      ", which is not among the strategies of this run");
    });
  }
}

std::string origin(const Product& product, const std::string& name) {
  const auto found = product.parameters.find(name);
  return found == product.parameters.end() ? name : found->second.origin;
}

void complete_nodes(const Product& product, Cell& cell) {
  if (!cell.cluster.empty()) {
    at(origin(product, cell.nodes == 0 ? "ranks" : "nodes"), [&] {
      cell.nodes = machine_of(find_cluster(cell.cluster), cell.ranks, cell.nodes).cluster.nodes;
    });
  }
  if (cell.nodes == 0) cell.nodes = 1;
  if (cell.ranks % cell.nodes != 0) {
    throw UserError(origin(product, "nodes") + ": " + std::to_string(cell.nodes) +
                    " nodes do not divide " + std::to_string(cell.ranks) + " ranks");
  }
}

void require_kernel(const Product& product, const Cell& cell,
                    const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), cell.kernel) != names.end()) return;
  throw UserError(origin(product, "kernel") + ": backend " + cell.backend + " has no kernel '" +
                  cell.kernel + "', only " + fmt::format("{}", fmt::join(names, ", ")));
}

void complete_costs(const Product& product, Cell& cell) {
  if (cell.cluster.empty()) {
    throw UserError(origin(product, "backend") + ": " + cell.backend +
                    " needs a cluster, like --cluster h100; see cpbench list clusters");
  }
  if (cell.network == "simgrid") at(origin(product, "network"), [] { simgrid_program(); });
  const Profile profile = find_profile(cell.profile);
  const int32_t sms = find_cluster(cell.cluster).sms;
  if (profile.reserved_sms >= sms) {
    throw UserError(fmt::format(
        "{}: profile {} has reserved_sms = {}; must be fewer than the {} of "
        "cluster {}",
        origin(product, "profile"), cell.profile, profile.reserved_sms, sms, cell.cluster));
  }
  cell.warmup = 0;
}

void complete_kernel(const Product& product, const Backend& backend, Cell& cell) {
  if (!backend.runs && !backend.costs) {
    cell.kernel.clear();
  } else if (backend.costs && !backend.on_gpus) {
    if (cell.kernel == kAutomatic) {
      cell.kernel = find_cluster(cell.cluster).kernel;
      at("cluster " + cell.cluster, [&] { find_kernel(cell.kernel); });
    } else if (!is_file(cell.kernel)) {
      require_kernel(product, cell, kernels_of(backend));
    }
  } else if (cell.kernel == kAutomatic) {
    if (!backend.on_gpus) cell.kernel = "fused";  // what a GPU can is known where there is one
  } else {
    require_kernel(product, cell, kernels_of(backend));
  }
}

// Puts in what "auto" stands for, and clears what has no meaning for this cell, so that equal runs
// have equal ids.
void complete(const Product& product, Cell& cell) {
  complete_nodes(product, cell);
  if (cell.mask == Mask::sliding_window && cell.window == 0) {
    throw UserError(origin(product, "mask") + ": sliding_window needs a window, like --window 1K");
  }
  if (cell.mask != Mask::sliding_window) cell.window = 0;
  const Backend& backend = backend_of(cell);
  if ((backend.on_gpus || backend.costs) && !product.parameters.contains("dtype")) {
    cell.shape.dtype = Dtype::bfloat16;
  }
  if (backend.costs) complete_costs(product, cell);
  complete_kernel(product, backend, cell);
  if (!backend.runs && !backend.costs) {
    cell.warmup = 0;
    cell.iterations = 0;
  }
  if (backend.costs && !backend.on_gpus) cell.iterations = 1;  // each would be like the first
  if (!backend.costs) {
    cell.network = Cell().network;
    cell.profile = Cell().profile;
  }
  if (cell.backend != "nccl") cell.graph = false;
}

std::vector<Cell> cells_of_product(const Product& product) {
  std::vector<Values> values_of_row;  // in the order of the table, so the first gap is named
  for (const RunParameter& parameter : parameters()) {
    values_of_row.push_back(values_of(product, parameter));
  }
  std::vector<Cell> cells(1);
  // The first parameters vary fastest, so that the strategies of one problem stand together.
  for (size_t row = parameters().size(); row-- > 0;) {
    const RunParameter& parameter = parameters()[row];
    const Values& values = values_of_row[row];
    std::vector<Cell> grown;
    for (const Cell& cell : cells) {
      for (const std::string& value : values.values) {
        Cell next = cell;
        if (!(parameter.name == "window" && value.empty())) {
          at(values.origin, [&] { parameter.set(next, value); });
        }
        grown.push_back(std::move(next));
      }
    }
    cells = std::move(grown);
  }
  for (Cell& cell : cells) {
    apply_settings(product, cell);
    complete(product, cell);
  }
  require_used(product, cells);
  return cells;
}

}  // namespace

std::vector<Cell> cells_of(const Suite& suite) {
  std::vector<Cell> cells;
  std::set<std::string> seen;
  for (const Product& product : suite.products) {
    for (Cell& cell : cells_of_product(product)) {
      if (seen.insert(canonical_text(cell)).second) cells.push_back(std::move(cell));
    }
  }
  return cells;
}

}  // namespace cpbench
