#include "methods/fcp/transfers.h"

#include <algorithm>

namespace cpbench::fcp {
namespace {

class NeedFinder {
 public:
  NeedFinder(const Batch& batch, const Units& units, const std::vector<int32_t>& rank_of,
             const std::vector<Range>& home, RangeSets& sets)
      : mask_(batch),
        simple_(batch.is_uniform() && batch.mask <= Mask::sliding_window &&
                batch.layer_masks.size() <= 1),
        full_(batch.mask == Mask::document_full),
        units_(units),
        rank_of_(rank_of),
        home_(home),
        sets_(sets) {
    needs_.from_home.resize(home.size());
  }

  Needs run(bool deduplicate) {
    needs_.job_of.resize(units_.units.size());
    for (const Sequence& sequence : units_.sequences) {
      find_holders(sequence);
      if (deduplicate) {
        units_once(sequence);
      } else {
        units_for_each_unit(sequence);
      }
    }
    for (size_t u = 0; u < units_.units.size(); ++u) {
      if (units_.units[u].sequence < 0) add_job_of(static_cast<int32_t>(u));
    }
    for (Ranges& tokens : needs_.from_home) tokens = normalise(std::move(tokens));
    return std::move(needs_);
  }

 private:
  struct Holder {
    int32_t rank = 0;
    Ranges queries;  // its queries of the sequence
    Ranges sees;     // the keys that they see
  };

  int32_t add_job(int32_t rank, const Ranges& tokens, int64_t pairs) {
    needs_.jobs.push_back({rank, sets_.intern(tokens), pairs});
    return static_cast<int32_t>(needs_.jobs.size()) - 1;
  }
  void add_job_of(int32_t unit) {
    const Unit& u = units_.units[unit];
    needs_.job_of[unit] = add_job(rank_of_[unit], u.tokens, u.pairs);
  }

  // The pairs of these queries and keys of one sequence. No range of one may lie inside a range of
  // the other. A window counts as causal.
  int64_t pairs_of(RangeSpan queries, RangeSpan keys) const {
    if (!simple_) return mask_.work(queries, keys);
    int64_t pairs = 0;
    for (const Range& q : queries) {
      for (const Range& k : keys) {
        if (full_ || q.begin >= k.end) pairs += q.size() * k.size();
      }
    }
    return pairs;
  }

  void find_holders(const Sequence& sequence) {
    members_.clear();
    for (int32_t u = sequence.first_unit; u < sequence.first_unit + sequence.units; ++u) {
      members_.push_back({rank_of_[u], u});
    }
    std::sort(members_.begin(), members_.end());
    holders_.clear();
    for (const auto& [rank, unit] : members_) {
      if (holders_.empty() || holders_.back().rank != rank) holders_.push_back({rank, {}, {}});
      Holder& holder = holders_.back();
      holder.queries = unite(holder.queries, units_.units[unit].tokens);
      const Ranges more = mask_.keys_seen(units_.units[unit].tokens);
      holder.sees.insert(holder.sees.end(), more.begin(), more.end());
    }
    for (Holder& holder : holders_) {
      holder.sees = normalise(std::move(holder.sees));
      const Ranges here = intersect(holder.sees, home_of(holder.rank));
      Ranges& from_home = needs_.from_home[holder.rank];
      from_home.insert(from_home.end(), here.begin(), here.end());
    }
  }

  RangeSpan home_of(int32_t rank) const {
    return {&home_[rank], home_[rank].size() > 0 ? size_t{1} : 0};
  }

  void units_once(const Sequence& sequence) {
    const auto first_job = static_cast<int32_t>(needs_.jobs.size());
    size_t next = 0;
    for (const Holder& holder : holders_) {
      int64_t pairs = 0;
      for (; next < members_.size() && members_[next].first == holder.rank; ++next) {
        const int32_t unit = members_[next].second;
        pairs += units_.units[unit].pairs;
        needs_.job_of[unit] = static_cast<int32_t>(needs_.jobs.size());
      }
      add_job(holder.rank, holder.queries, pairs);
    }
    for (int32_t k = sequence.first_unit; k < sequence.first_unit + sequence.units; ++k) {
      const Ranges& keys = units_.units[k].tokens;
      for (size_t h = 0; h < holders_.size(); ++h) {
        const Holder& holder = holders_[h];
        if (holder.rank == rank_of_[k]) continue;
        const Ranges seen = subtract(intersect(keys, holder.sees), home_of(holder.rank));
        add(rank_of_[k], holder.rank, first_job + static_cast<int32_t>(h), sets_.intern(seen),
            holder.queries);
      }
    }
  }

  void add(int32_t from, int32_t to, int32_t job, SetId tokens, RangeSpan queries) {
    if (tokens == RangeSets::kEmpty) return;
    needs_.transfers.push_back({from, to, job, tokens, pairs_of(queries, sets_[tokens])});
  }

  void units_for_each_unit(const Sequence& sequence) {
    std::vector<Ranges> seen;
    for (const auto& [rank, unit] : members_) {
      seen.push_back(mask_.keys_seen(units_.units[unit].tokens));
      add_job_of(unit);
    }
    for (int32_t k = sequence.first_unit; k < sequence.first_unit + sequence.units; ++k) {
      const Unit& keys = units_.units[k];
      const SetId whole = sets_.intern(keys.tokens);
      for (size_t m = 0; m < members_.size(); ++m) {
        const auto [rank, unit] = members_[m];
        if (rank == rank_of_[k] || !overlap(seen[m], keys.tokens)) continue;
        SetId tokens = whole;
        if (overlap(home_of(rank), keys.tokens)) {
          tokens = sets_.intern(subtract(keys.tokens, home_of(rank)));
        }
        if (tokens != RangeSets::kEmpty && overlap(seen[m], sets_[tokens])) {
          add(rank_of_[k], rank, needs_.job_of[unit], tokens, units_.units[unit].tokens);
        }
      }
    }
  }

  const MaskIndex mask_;
  const bool simple_, full_;
  const Units& units_;
  const std::vector<int32_t>& rank_of_;
  const std::vector<Range>& home_;
  RangeSets& sets_;
  std::vector<std::pair<int32_t, int32_t>> members_;  // (rank, unit) of one sequence
  std::vector<Holder> holders_;                       // of one sequence, by rank
  Needs needs_;
};

}  // namespace

Needs find_needs(const Batch& batch, const Units& units, const std::vector<int32_t>& rank_of,
                 const std::vector<Range>& home, bool deduplicate, RangeSets& sets) {
  return NeedFinder(batch, units, rank_of, home, sets).run(deduplicate);
}

}  // namespace cpbench::fcp
