// A mixed-integer linear program, written row by row and minimised by CBC.
//
//   IntegerProgram program;
//   int b = program.column({.upper = 10, .cost = 1});
//   int x = program.column({.upper = 1, .integer = true});
//   program.row(3, kUnbounded, {{b, 1}, {x, 2}});   // 3 <= b + 2x
//
// The build finds CBC if it is installed (CPBENCH_WITH_CBC). No other code uses it.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace cpbench {

inline constexpr double kUnbounded = std::numeric_limits<double>::infinity();

class IntegerProgram {
 public:
  struct Column {
    double lower = 0;
    double upper = kUnbounded;
    double cost = 0;
    bool integer = false;
  };
  enum class Outcome : uint8_t { optimal, infeasible, node_limit };

  int column(Column column);
  void row(double lower, double upper, std::vector<std::pair<int, double>> coefficients);
  int columns() const { return static_cast<int>(columns_.size()); }

  // Runs on one thread and without a clock, so the same program gives the same outcome. `solution`
  // is the optimum, or with node_limit the best solution so far (empty if there is none). `start`
  // holds a feasible value of every column to begin from, or nothing. Throws Unsupported if cpbench
  // was built without CBC.
  Outcome solve(int64_t max_nodes, std::vector<double>& solution,
                const std::vector<double>& start = {}) const;

 private:
  struct Row {
    double lower, upper;
    std::vector<std::pair<int, double>> coefficients;
  };
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace cpbench
