#include "harness/strategy/integer_program.h"

#include <string>

#include "harness/plan/errors.h"

#ifdef CPBENCH_WITH_CBC
#include <Cbc_C_Interface.h>

#include <memory>
#include <mutex>
#include <numeric>
#endif

namespace cpbench {

int IntegerProgram::column(Column column) {
  columns_.push_back(column);
  return columns() - 1;
}

void IntegerProgram::row(double lower, double upper,
                         std::vector<std::pair<int, double>> coefficients) {
  rows_.push_back({lower, upper, std::move(coefficients)});
}

#ifdef CPBENCH_WITH_CBC

IntegerProgram::Outcome IntegerProgram::solve(int64_t max_nodes, std::vector<double>& solution,
                                              const std::vector<double>& start) const {
  static std::mutex one_at_a_time;  // CBC does not promise that two models can be solved at once
  const std::lock_guard guard(one_at_a_time);
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
  Cbc_setParameter(model.get(), "maxNodes", std::to_string(max_nodes).c_str());
  std::vector<int> every_column(start.size());
  std::iota(every_column.begin(), every_column.end(), 0);
  if (!start.empty()) {
    Cbc_setMIPStartI(model.get(), columns(), every_column.data(), start.data());
  }
  Cbc_solve(model.get());
  solution.clear();
  if (Cbc_isProvenInfeasible(model.get())) return Outcome::infeasible;
  if (const double* best = Cbc_bestSolution(model.get())) solution.assign(best, best + columns());
  return Cbc_isProvenOptimal(model.get()) ? Outcome::optimal : Outcome::node_limit;
}

#else

IntegerProgram::Outcome IntegerProgram::solve(int64_t, std::vector<double>&,
                                              const std::vector<double>&) const {
  throw Unsupported(
      "this solver requires CBC, which this build lacks: install coinor-libcbc-dev and build "
      "again");
}

#endif

}  // namespace cpbench
