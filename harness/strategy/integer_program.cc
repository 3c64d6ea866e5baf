#include "harness/strategy/integer_program.h"

#include <string>

#include "harness/plan/errors.h"

#ifdef CPBENCH_WITH_CBC
#include <Cbc_C_Interface.h>

#include <cstring>
#include <memory>
#include <numeric>

#include "harness/programs/in_child.h"
#endif

namespace cpbench {

SearchLimits search_limits(const Options& options) {
  return {.solver = "the solver of " + options.strategy(),
          .nodes = options.integer("nodes"),
          .seconds = options.number("seconds"),
          .planning = options.planning()};
}

int IntegerProgram::column(Column column) {
  columns_.push_back(column);
  return columns() - 1;
}

void IntegerProgram::row(double lower, double upper,
                         std::vector<std::pair<int, double>> coefficients) {
  rows_.push_back({lower, upper, std::move(coefficients)});
}

#ifdef CPBENCH_WITH_CBC

// CBC aborts on some programs, and may look at the clock late.
IntegerProgram::Outcome IntegerProgram::solve(const SearchLimits& limits,
                                              std::vector<double>& solution,
                                              const std::vector<double>& start) const {
  constexpr double kGraceSeconds = 2;
  const Deadline late(limits.seconds + kGraceSeconds);
  const Deadline& given = limits.planning->deadline;
  const bool late_is_first = late.seconds_left() < given.seconds_left();
  try {
    const ChildAnswer answer =
        in_child({.name = limits.solver, .deadline = late_is_first ? late : given}, [&] {
          std::vector<double> found;
          std::string bytes(1, static_cast<char>(solve_here(limits, found, start)));
          return bytes.append(reinterpret_cast<const char*>(found.data()),
                              found.size() * sizeof(double));
        });
    limits.planning->child_seconds += answer.cpu_seconds;
    solution.resize(answer.bytes.size() / sizeof(double));
    if (!solution.empty()) {
      std::memcpy(solution.data(), answer.bytes.data() + 1, solution.size() * sizeof(double));
    }
    return static_cast<Outcome>(answer.bytes.front());
  } catch (const DidNotEnd&) {
    if (!late_is_first) throw;
    limits.planning->child_seconds += limits.seconds;
    solution = start;
    return Outcome::time_limit;
  }
}

IntegerProgram::Outcome IntegerProgram::solve_here(const SearchLimits& limits,
                                                   std::vector<double>& solution,
                                                   const std::vector<double>& start) const {
  // CBC expects the matrix by columns.
  std::vector<std::vector<std::pair<int, double>>> by_column(columns_.size());
  std::vector<double> row_lower, row_upper;
  for (size_t r = 0; r < rows_.size(); ++r) {
    row_lower.push_back(rows_[r].lower);
    row_upper.push_back(rows_[r].upper);
    for (const auto& [column, value] : rows_[r].coefficients) {
      by_column[column].emplace_back(static_cast<int>(r), value);
    }
  }
  std::vector<int> starts{0}, indices;
  std::vector<double> values, lower, upper, cost;
  for (size_t c = 0; c < columns_.size(); ++c) {
    for (const auto& [row, value] : by_column[c]) {
      indices.push_back(row);
      values.push_back(value);
    }
    starts.push_back(static_cast<int>(indices.size()));
    lower.push_back(columns_[c].lower);
    upper.push_back(columns_[c].upper);
    cost.push_back(columns_[c].cost);
  }

  const std::unique_ptr<Cbc_Model, void (*)(Cbc_Model*)> model(Cbc_newModel(), Cbc_deleteModel);
  Cbc_loadProblem(model.get(), columns(), static_cast<int>(rows_.size()), starts.data(),
                  indices.data(), values.data(), lower.data(), upper.data(), cost.data(),
                  row_lower.data(), row_upper.data());
  for (int c = 0; c < columns(); ++c) {
    if (columns_[c].integer) Cbc_setInteger(model.get(), c);
  }
  Cbc_setParameter(model.get(), "log", "0");
  Cbc_setParameter(model.get(), "threads", "0");
  Cbc_setParameter(model.get(), "ratioGap", "0");
  Cbc_setParameter(model.get(), "allowableGap", std::to_string(limits.gap).c_str());
  Cbc_setParameter(model.get(), "maxNodes", std::to_string(limits.nodes).c_str());
  Cbc_setParameter(model.get(), "timeMode", "elapsed");
  Cbc_setParameter(model.get(), "seconds", std::to_string(limits.seconds).c_str());
  std::vector<int> every_column(start.size());
  std::iota(every_column.begin(), every_column.end(), 0);
  if (!start.empty()) {
    Cbc_setMIPStartI(model.get(), columns(), every_column.data(), start.data());
  }
  Cbc_solve(model.get());
  solution.clear();
  if (Cbc_isProvenInfeasible(model.get())) return Outcome::infeasible;
  if (const double* best = Cbc_bestSolution(model.get())) solution.assign(best, best + columns());
  if (Cbc_isProvenOptimal(model.get())) return Outcome::optimal;
  return Cbc_isSecondsLimitReached(model.get()) ? Outcome::time_limit : Outcome::node_limit;
}

#else

IntegerProgram::Outcome IntegerProgram::solve(const SearchLimits&, std::vector<double>&,
                                              const std::vector<double>&) const {
  throw Unsupported(
      "this solver requires CBC, which this build lacks: install coinor-libcbc-dev and build "
      "again");
}

#endif

}  // namespace cpbench
