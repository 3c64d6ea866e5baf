#include "methods/flashcp/exact.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "harness/plan/errors.h"
#include "harness/plan/seconds_text.h"
#include "harness/strategy/integer_program.h"
#include "harness/strategy/order.h"

namespace cpbench::flashcp {
namespace {

// The number of units times ranks beyond which a proof is out of reach.
constexpr int64_t kMostUnits = 8192;

struct Unit {
  int32_t document = 0;
  int64_t begin = 0;
  int64_t end = 0;
  double work_per_token = 0;
  bool first = false;  // of its document
  double tokens() const { return static_cast<double>(end - begin); }
};

// The units of all documents, the longest document first. Where queries see the whole document, all
// its tokens have the same work, and it has no tail unless it is whole, so it is one unit.
std::vector<Unit> units_of(const std::vector<int64_t>& documents, const Visibility& sees,
                           int64_t granularity) {
  std::vector<Unit> units;
  for (const int32_t document :
       largest_first(documents.size(), [&](int32_t i) { return documents[i]; })) {
    const int64_t tokens = documents[document];
    const int64_t step = sees.mask() == Mask::document_full ? tokens : granularity;
    for (int64_t begin = 0; begin < tokens; begin += step) {
      const int64_t end = std::min(tokens, begin + step);
      const auto work = static_cast<double>(sees.work({begin, end}, tokens));
      units.push_back({document, begin, end, work / static_cast<double>(end - begin), begin == 0});
    }
  }
  return units;
}

// Unknowns: tail(u)      1 if unit u is in the tail of its document
//           at(d, j)     1 if the tail of document d is on rank j
//           kept(u, j)   tokens of unit u that are on rank j as part of a tail
//           dealt(u, j)  tokens of unit u that are on rank j as part of a head
//           work         at least the work of any one rank, over the mean
//           sent         at least the tokens that any one rank sends, over T/N
class Model {
 public:
  Model(const std::vector<Unit>& units, int32_t ranks, int64_t tokens, const ExactOptions& options)
      : units_(units), ranks_(ranks), tokens_(tokens) {
    const bool time = options.objective == Objective::time;
    const double all = options.even_work_seconds + options.all_sent_seconds;
    work_ = program_.column({.lower = 1,
                             .upper = time ? kUnbounded : options.ratio,
                             .cost = time ? options.even_work_seconds / all : 0});
    sent_ = program_.column({.cost = time ? options.all_sent_seconds / all : 1});
    for (const Unit& unit : units_) {
      tail_.push_back(program_.column({0, 1, 0, true}));
      // Ranks are interchangeable, so the tail of the k-th document is on one of the ranks 0..k.
      if (unit.first) {
        const auto document = static_cast<int32_t>(at_.size()) / ranks_;
        for (int32_t j = 0; j < ranks_; ++j) {
          at_.push_back(program_.column({0, j <= document ? 1.0 : 0.0, 0, true}));
        }
      }
      // With units of several tokens, shares are rounded to tokens afterwards.
      const bool integer = options.granularity_tokens == 1;
      for (int32_t j = 0; j < ranks_; ++j) {
        kept_.push_back(program_.column({0, unit.tokens(), 0, false}));
        dealt_.push_back(program_.column({0, unit.tokens(), 0, integer}));
      }
    }
    tails();
    loads(options.granularity_tokens == 1);
  }

  const IntegerProgram& program() const { return program_; }

  // Tokens of the unit that the rank has as part of the head, and the rank of its tail, or -1.
  double dealt(const std::vector<double>& solution, size_t unit, int32_t rank) const {
    return solution[dealt_[unit * ranks_ + rank]];
  }
  int32_t tail_rank(const std::vector<double>& solution, size_t unit) const {
    for (int32_t j = 0; j < ranks_; ++j) {
      if (solution[kept_[unit * ranks_ + j]] > units_[unit].tokens() / 2) return j;
    }
    return -1;
  }

 private:
  using Row = std::vector<std::pair<int, double>>;

  void tails() {
    size_t documents = 0;
    for (size_t u = 0; u < units_.size(); ++u) {
      documents += units_[u].first;
      Row kept{{tail_[u], -units_[u].tokens()}}, dealt{{tail_[u], units_[u].tokens()}};
      for (int32_t j = 0; j < ranks_; ++j) {
        const int at = at_[(documents - 1) * ranks_ + j];
        kept.emplace_back(kept_[u * ranks_ + j], 1);
        dealt.emplace_back(dealt_[u * ranks_ + j], 1);
        program_.row(-kUnbounded, 0, {{kept_[u * ranks_ + j], 1}, {at, -units_[u].tokens()}});
      }
      program_.row(0, 0, kept);
      program_.row(units_[u].tokens(), units_[u].tokens(), dealt);
      if (!units_[u].first) {
        program_.row(-kUnbounded, 0, {{tail_[u - 1], 1}, {tail_[u], -1}});
        continue;
      }
      Row one;
      for (int32_t j = 0; j < ranks_; ++j) one.emplace_back(at_[(documents - 1) * ranks_ + j], 1);
      program_.row(-kUnbounded, 1, one);
    }
  }

  void loads(bool whole_tokens) {
    double total_work = 0;
    for (const Unit& unit : units_) total_work += unit.work_per_token * unit.tokens();
    const double share = static_cast<double>(tokens_) / ranks_;
    for (int32_t j = 0; j < ranks_; ++j) {
      Row tokens, work{{work_, -1}}, sent{{sent_, -1}};
      for (size_t u = 0; u < units_.size(); ++u) {
        const double part = units_[u].work_per_token * ranks_ / total_work;
        for (const int column : {kept_[u * ranks_ + j], dealt_[u * ranks_ + j]}) {
          tokens.emplace_back(column, 1);
          work.emplace_back(column, part);
        }
        sent.emplace_back(dealt_[u * ranks_ + j], 1 / share);
      }
      program_.row(whole_tokens ? std::floor(share) : share,
                   whole_tokens ? std::ceil(share) : share, tokens);
      program_.row(-kUnbounded, 0, work);
      program_.row(-kUnbounded, 0, sent);
    }
  }

  const std::vector<Unit>& units_;
  int32_t ranks_;
  int64_t tokens_;
  IntegerProgram program_;
  int work_, sent_;
  std::vector<int> tail_, at_, kept_, dealt_;
};

// Shares in tokens that sum to `tokens`, from those of the program. `carry` is what each rank has
// been given too little so far, so that the sums over all units stay within a token.
std::vector<int64_t> whole_shares(std::vector<double> shares, int64_t tokens,
                                  std::vector<double>& carry) {
  std::vector<int64_t> given(shares.size());
  int64_t left = tokens;
  for (size_t j = 0; j < shares.size(); ++j) {
    shares[j] += carry[j];
    given[j] = std::clamp<int64_t>(static_cast<int64_t>(std::floor(shares[j])), 0, left);
    left -= given[j];
  }
  for (; left > 0; --left) {
    size_t most = 0;
    const auto owed = [&](size_t j) { return shares[j] - static_cast<double>(given[j]); };
    for (size_t j = 1; j < shares.size(); ++j) {
      if (owed(j) > owed(most)) most = j;
    }
    ++given[most];
  }
  for (size_t j = 0; j < shares.size(); ++j) carry[j] = shares[j] - static_cast<double>(given[j]);
  return given;
}

// Deals a unit from both ends, as Per-Doc sharding does, so that the work of a share is
// proportional to its tokens.
void deal_unit(const Unit& unit, const std::vector<int64_t>& shares, Shards& shards) {
  int64_t begin = unit.begin, end = unit.end;
  for (size_t j = 0; j < shares.size(); ++j) {
    const int64_t front = (shares[j] + static_cast<int64_t>(j) % 2) / 2;
    const int64_t back = shares[j] - front;
    const auto rank = static_cast<int32_t>(j);
    if (front > 0) shards.push_back({unit.document, begin, begin + front, rank});
    if (back > 0) shards.push_back({unit.document, end - back, end, rank});
    begin += front;
    end -= back;
  }
}

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
  int64_t count = 0;
  for (int64_t tokens : documents) count += (tokens + granularity - 1) / granularity * ranks;
  if (count > kMostUnits) {
    throw Unsupported("solver=exact takes at most " + std::to_string(kMostUnits) +
                      " units x ranks, and there are " + std::to_string(count) + " with units of " +
                      size + "; raise granularity or use solver=heuristic");
  }

  const std::vector<Unit> units = units_of(documents, sees, granularity);
  const int64_t tokens = std::accumulate(documents.begin(), documents.end(), int64_t{0});
  const Model model(units, ranks, tokens, options);
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
  Shards shards;
  std::vector<double> carry(ranks, 0);
  for (size_t u = 0; u < units.size(); ++u) {
    const Unit& unit = units[u];
    if (const int32_t rank = model.tail_rank(solution, u); rank >= 0) {
      shards.push_back({unit.document, unit.begin, unit.end, rank});
      continue;
    }
    std::vector<double> shares(ranks);
    for (int32_t j = 0; j < ranks; ++j) shares[j] = model.dealt(solution, u, j);
    deal_unit(unit, whole_shares(std::move(shares), unit.end - unit.begin, carry), shards);
  }
  return normal_form(std::move(shards));
}

}  // namespace cpbench::flashcp
