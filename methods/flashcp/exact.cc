#include "methods/flashcp/exact.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "harness/plan/errors.h"
#include "harness/plan/seconds_text.h"
#include "harness/strategy/integer_program.h"

namespace cpbench::flashcp {
namespace {

// The number of binary unknowns (units times ranks) beyond which a proof is out of reach.
constexpr int64_t kMostUnknowns = 4096;

struct Unit {
  int32_t document = 0;
  int64_t begin = 0;
  int64_t end = 0;
  bool last = false;  // whether it is the last unit of its document
  int64_t tokens() const { return end - begin; }
};

std::vector<Unit> units_of(const std::vector<int64_t>& documents, int64_t granularity) {
  std::vector<Unit> units;
  for (size_t document = 0; document < documents.size(); ++document) {
    const int64_t tokens = documents[document];
    for (int64_t begin = 0; begin < tokens; begin += granularity) {
      const int64_t end = std::min(tokens, begin + granularity);
      units.push_back({static_cast<int32_t>(document), begin, end, end == tokens});
    }
  }
  return units;
}

// Unknowns: on(u, j)    1 if unit u is on rank j
//           cut(u)      1 if some other rank sees unit u: the document is cut after it (or, if
//                       every query sees the whole document, cut anywhere)
//           sent(u, j)  at least on(u, j) + cut(u) - 1
//           B           at least the tokens that any one rank sends; minimised
class Model {
 public:
  Model(const std::vector<Unit>& units, int32_t ranks) : units_(units), ranks_(ranks) {
    most_sent_ = program_.column({.cost = 1});
    for (size_t u = 0; u < units.size(); ++u) {
      for (int32_t j = 0; j < ranks; ++j) on_.push_back(program_.column({0, 1, 0, true}));
    }
    for (size_t u = 0; u < units.size(); ++u) cut_.push_back(program_.column({0, 1, 0, false}));
  }

  void every_unit_on_one_rank() {
    for (size_t u = 0; u < units_.size(); ++u) {
      std::vector<std::pair<int, double>> row;
      for (int32_t j = 0; j < ranks_; ++j) row.emplace_back(on(u, j), 1);
      program_.row(1, 1, row);
    }
  }

  void equal_tokens(int64_t least, int64_t most) {
    for (int32_t j = 0; j < ranks_; ++j) {
      std::vector<std::pair<int, double>> row;
      for (size_t u = 0; u < units_.size(); ++u) row.emplace_back(on(u, j), units_[u].tokens());
      program_.row(static_cast<double>(least), static_cast<double>(most), row);
    }
  }

  void work_within(const std::vector<int64_t>& work, int64_t limit) {
    for (int32_t j = 0; j < ranks_; ++j) {
      std::vector<std::pair<int, double>> row;
      for (size_t u = 0; u < units_.size(); ++u) {
        row.emplace_back(on(u, j), static_cast<double>(work[u]));
      }
      program_.row(-kUnbounded, static_cast<double>(limit), row);
    }
  }

  void least_sent(bool whole_document_seen) {
    for (size_t u = 0; u < units_.size(); ++u) {
      if (units_[u].last) continue;
      // The document is cut between this unit and the next, or anywhere later.
      for (int32_t j = 0; j < ranks_; ++j) {
        program_.row(0, kUnbounded, {{cut_[u], 1}, {on(u, j), -1}, {on(u + 1, j), 1}});
      }
      program_.row(0, whole_document_seen ? 0 : kUnbounded, {{cut_[u], 1}, {cut_[u + 1], -1}});
    }
    for (int32_t j = 0; j < ranks_; ++j) {
      std::vector<std::pair<int, double>> row{{most_sent_, 1}};
      for (size_t u = 0; u < units_.size(); ++u) {
        if (units_[u].last && !whole_document_seen) continue;  // is never sent
        const int sent = program_.column({0, 1, 0, false});
        program_.row(-1, kUnbounded, {{sent, 1}, {on(u, j), -1}, {cut_[u], -1}});
        row.emplace_back(sent, -static_cast<double>(units_[u].tokens()));
      }
      program_.row(0, kUnbounded, row);
    }
  }

  // Ranks are interchangeable, so unit u may be restricted to the ranks 0..u.
  void break_symmetry() {
    for (size_t u = 0; u < units_.size(); ++u) {
      for (auto j = static_cast<int32_t>(u) + 1; j < ranks_; ++j) {
        program_.row(0, 0, {{on(u, j), 1}});
      }
    }
  }

  const IntegerProgram& program() const { return program_; }

  Shards shards_from(const std::vector<double>& solution) const {
    Shards shards;
    for (size_t u = 0; u < units_.size(); ++u) {
      for (int32_t j = 0; j < ranks_; ++j) {
        if (solution[on(u, j)] < 0.5) continue;
        shards.push_back({units_[u].document, units_[u].begin, units_[u].end, j});
      }
    }
    return normal_form(std::move(shards));
  }

 private:
  int on(size_t unit, int32_t rank) const { return on_[unit * ranks_ + rank]; }

  const std::vector<Unit>& units_;
  int32_t ranks_;
  IntegerProgram program_;
  int most_sent_;
  std::vector<int> on_, cut_;
};

}  // namespace

Shards place_exactly(const std::vector<int64_t>& documents, int32_t ranks, const Visibility& sees,
                     const ExactOptions& options) {
  if (ranks == 1) {
    Shards whole;
    for (size_t document = 0; document < documents.size(); ++document) {
      whole.push_back({static_cast<int32_t>(document), 0, documents[document], 0});
    }
    return whole;
  }
  if (sees.mask() == Mask::sliding_window) {
    throw Unsupported("solver=exact does not support sliding windows; use solver=heuristic");
  }
  const int64_t granularity = options.granularity_tokens;
  const std::string size = std::to_string(granularity) + " tokens";
  int64_t unknowns = 0;
  for (int64_t tokens : documents) unknowns += (tokens + granularity - 1) / granularity * ranks;
  if (unknowns > kMostUnknowns) {
    throw Unsupported("solver=exact takes at most " + std::to_string(kMostUnknowns) +
                      " units x ranks, and there are " + std::to_string(unknowns) +
                      " with units of " + size + "; raise granularity or use solver=heuristic");
  }

  const std::vector<Unit> units = units_of(documents, granularity);
  std::vector<int64_t> work;
  for (const Unit& unit : units) {
    work.push_back(sees.work({unit.begin, unit.end}, documents[unit.document]));
  }
  const int64_t total_work = std::accumulate(work.begin(), work.end(), int64_t{0});
  const auto limit = static_cast<int64_t>(options.ratio * static_cast<double>(total_work) / ranks);
  const int64_t tokens = std::accumulate(documents.begin(), documents.end(), int64_t{0});
  const int64_t floor_share = tokens / ranks;
  const int64_t ceil_share = (tokens + ranks - 1) / ranks;

  Model model(units, ranks);
  model.every_unit_on_one_rank();
  model.equal_tokens(floor_share - granularity + 1, ceil_share + granularity - 1);
  model.work_within(work, limit);
  model.least_sent(sees.mask() == Mask::document_full);
  model.break_symmetry();

  std::vector<double> solution;
  const auto no_proof = [&](const std::string& limit, const std::string& option) {
    return Unsupported("solver=exact: no proof within " + limit + " for units of " + size +
                       "; raise " + option + " or granularity");
  };
  switch (model.program().solve(options.limits, solution)) {
    case IntegerProgram::Outcome::infeasible:
      throw Unsupported("solver=exact: no placement of units of " + size + " on " +
                        std::to_string(ranks) + " ranks stays within ratio " +
                        std::to_string(options.ratio) + "; raise ratio or lower granularity");
    case IntegerProgram::Outcome::node_limit:
      throw no_proof(std::to_string(options.limits.nodes) + " nodes", "nodes");
    case IntegerProgram::Outcome::time_limit:
      throw no_proof(seconds_text(options.limits.seconds), "seconds");
    case IntegerProgram::Outcome::optimal:
      break;
  }
  return model.shards_from(solution);
}

}  // namespace cpbench::flashcp
