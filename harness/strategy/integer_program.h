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
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/strategy/options.h"

namespace cpbench {

inline constexpr double kUnbounded = std::numeric_limits<double>::infinity();

// How long a solver may search.
struct SearchLimits {
  std::string solver = "the solver";  // opens every message: "the solver of flashcp"
  int64_t nodes = 20000;              // of the search tree
  double seconds = 60;                // by the clock
  double gap = 0;  // a solution whose cost is proven to be within this of the optimum is optimal
  // Its deadline ends the solver with an error; the CPU time of the solver is added to it.
  std::shared_ptr<Planning> planning = std::make_shared<Planning>();
};

// From the options `nodes` and `seconds` of a strategy.
SearchLimits search_limits(const Options& options);

class IntegerProgram {
 public:
  struct Column {
    double lower = 0;
    double upper = kUnbounded;
    double cost = 0;
    bool integer = false;
  };
  enum class Outcome : uint8_t { optimal, infeasible, node_limit, time_limit };

  int column(Column column);
  void row(double lower, double upper, std::vector<std::pair<int, double>> coefficients);
  int columns() const { return static_cast<int>(columns_.size()); }

  // Runs in a child process, on one thread. The same program gives the same outcome, unless the
  // seconds end the search. `solution` is the optimum, or with a limit the best solution so far
  // (empty if there is none). `start` holds a feasible value of every column to begin from, or
  // nothing. Throws UserError if CBC dies, DidNotEnd if the deadline of the planning passes, and
  // Unsupported if cpbench was built without CBC.
  Outcome solve(const SearchLimits& limits, std::vector<double>& solution,
                const std::vector<double>& start = {}) const;

 private:
  Outcome solve_here(const SearchLimits& limits, std::vector<double>& solution,
                     const std::vector<double>& start) const;
  struct Row {
    double lower, upper;
    std::vector<std::pair<int, double>> coefficients;
  };
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace cpbench
