#include "tests/soak/soak_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/execute/kernel.h"
#include "harness/machines/kernel_models.h"
#include "harness/run/resolve.h"
#include "tests/contract/judge.h"
#include "tests/numerics/run_plan.h"
#include "tests/simulate/machines.h"

namespace cpbench::soak {
namespace {

using contract::below;

constexpr int64_t kTokensForSolver = 20;

// Any valid value, but small numbers more often: most options count blocks, ranks or heads.
std::string any_value(std::mt19937_64& random, const OptionSpec& spec) {
  const bool bounded = spec.minimum < spec.maximum;
  switch (spec.kind) {
    case OptionKind::boolean:
      return below(random, 2) == 0 ? "false" : "true";
    case OptionKind::choice:
      return spec.choices[below(random, std::ssize(spec.choices))];
    case OptionKind::integer: {
      const auto least = static_cast<int64_t>(bounded ? spec.minimum : 1);
      const auto most = static_cast<int64_t>(bounded ? spec.maximum : 64);
      return std::to_string(std::min(most, least + below(random, below(random, 4) == 0 ? 64 : 5)));
    }
    case OptionKind::number:
      break;
  }
  const double factor = 0.25 * static_cast<double>(1 + below(random, 8));
  const double value = std::stod(spec.default_value) * factor;
  return fmt::format("{}", bounded ? std::clamp(value, spec.minimum, spec.maximum) : value);
}

std::string trouble_with_simulation(const Problem& problem, const Plan& plan) {
  const ClusterModel machine = small_machine(problem.cluster.nodes, problem.cluster.gpus_per_node);
  static const KernelModel kernel = find_kernel("cudnn_h200");
  const Timeline timeline = simulate_plan(problem, plan, machine, kernel);
  const double seconds = makespan(timeline);
  std::string trouble = trouble_with_bytes(problem, plan, Passes::both, timeline);
  if (!(seconds > 0) || std::isinf(seconds)) {
    trouble += fmt::format("the simulation takes {} seconds\n", seconds);
  }
  return trouble;
}

}  // namespace

Case draw(std::mt19937_64& random, const std::vector<const Strategy*>& strategies) {
  Case drawn;
  drawn.strategy = strategies[below(random, std::ssize(strategies))];
  for (const OptionSpec& spec : drawn.strategy->options) {
    if (below(random, 2) == 0) drawn.options[spec.name] = any_value(random, spec);
  }
  int64_t tokens = below(random, 8) == 0 ? 700 : 90;
  // Exact solvers take minutes for larger problems.
  if (drawn.options.contains("solver")) tokens = kTokensForSolver;
  drawn.problem = contract::random_problem(random, tokens, 8);
  drawn.problem.shape.dtype = Dtype::float64;
  if (below(random, 8) == 0) drawn.problem.shape.value_head_dim = 4;
  if (below(random, 3) == 0) contract::plant(random, drawn.problem.batch);
  if (below(random, 4) == 0) {
    set_cached(drawn.problem.batch, 0.25 * static_cast<double>(1 + below(random, 3)));
  }
  return drawn;
}

std::optional<std::string> trouble_of(const Case& given) {
  try {
    const Strategy& strategy = *given.strategy;
    const contract::Planner planner =
        contract::planner_of(strategy, Options(strategy.name, strategy.options, given.options));
    const contract::Judge judgement = [&](const Problem& problem, const Plan& plan) {
      std::string trouble = contract::validity_of(planner)(problem, plan);
      if (!trouble.empty() || !given.run) return trouble;
      const ExecuteOptions once{.kernel = kernel_for("auto", problem.shape),
                                .warmup = 0,
                                .iterations = 1,
                                .timeout_seconds = 60};
      return trouble_with(problem, plan, once) + trouble_with_simulation(problem, plan);
    };
    const auto verdict = contract::judge({{strategy.name, given.problem}}, planner, judgement);
    if (verdict.planned == 0) return std::nullopt;
    return verdict.text();
  } catch (const std::exception& error) {
    return fmt::format("{}: throws: {}\n", given.strategy->name, error.what());
  }
}

}  // namespace cpbench::soak
