#include "harness/plan/plan.h"

#include <algorithm>
#include <cstdint>

namespace cpbench {
namespace {

// FNV-1a over 64-bit words with a final avalanche. It must never change: hashes are stored in files
// and compared between ranks.
class Hasher {
 public:
  void add(int64_t value) {
    state_ = (state_ ^ static_cast<uint64_t>(value)) * 0x100000001b3ULL;
    state_ ^= state_ >> 29;
  }
  void add(Heads heads) {
    add(heads.begin);
    add(heads.end);
  }
  void add(const RangeSets& sets) {
    add(sets.count());
    for (SetId id = 0; id < sets.count(); ++id) {
      add(static_cast<int64_t>(sets[id].size()));
      for (const Range& r : sets[id]) {
        add(r.begin);
        add(r.end);
      }
    }
  }
  void add(const Pass& pass) {
    add(pass.steps);
    add(pass.lookahead);
    add(static_cast<int64_t>(pass.attends.size()));
    for (const Attend& a : pass.attends) {
      for (int64_t v : {a.step, a.rank, a.q, a.kv}) add(v);
      add(a.heads);
    }
    add(static_cast<int64_t>(pass.sends.size()));
    for (const Send& s : pass.sends) {
      for (int64_t v : {s.step, s.substage, s.from, s.to, static_cast<int32_t>(s.tensor), s.tokens,
                        s.collective}) {
        add(v);
      }
      add(s.heads);
    }
    for (const Collective& c : pass.collectives) {
      add(static_cast<int64_t>(c.kind));
      add(c.padded_tokens);
    }
  }
  uint64_t value() const {
    uint64_t h = state_;
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 33;
    return h;
  }

 private:
  uint64_t state_ = 0xcbf29ce484222325ULL;
};

}  // namespace

void count_steps(Pass& pass) {
  pass.steps = 0;
  // The largest number has no successor; the checker refuses it.
  const auto count = [&](int32_t step) {
    pass.steps = std::max(pass.steps, std::min(step, INT32_MAX - 1) + 1);
  };
  for (const Attend& a : pass.attends) count(a.step);
  for (const Send& s : pass.sends) count(s.step);
}

uint64_t hash_of(const Plan& plan) {
  Hasher hasher;
  hasher.add(plan.ranks);
  hasher.add(plan.tokens);
  hasher.add(plan.query_heads);
  hasher.add(static_cast<int64_t>(plan.gradient_wire));
  hasher.add(plan.token_sets);
  hasher.add(plan.rank_sets);
  for (SetId id : plan.home) hasher.add(id);
  hasher.add(plan.forward);
  hasher.add(plan.backward);
  for (const Keep& k : plan.keep) {
    hasher.add(k.rank);
    hasher.add(static_cast<int64_t>(k.tensor));
    hasher.add(k.tokens);
    hasher.add(k.heads);
  }
  return hasher.value();
}

}  // namespace cpbench
