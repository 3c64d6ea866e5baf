#include "tests/contract/oracle.h"

#include <map>
#include <vector>

#include "harness/plan/mask.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench::contract {
namespace {

using Bits = std::vector<std::vector<bool>>;  // [token][head]

class PassOracle {
 public:
  PassOracle(const Problem& problem, const Plan& plan, bool forward, std::set<std::string>& broken)
      : problem_(problem),
        plan_(plan),
        pass_(forward ? plan.forward : plan.backward),
        forward_(forward),
        broken_(broken) {}

  void run() {
    coverage();
    for (Tensor t : {Tensor::q, Tensor::kv, Tensor::d_o}) {
      for (int32_t rank = 0; rank < plan_.ranks; ++rank) copies(t, rank);
    }
    if (forward_) {
      partials(Tensor::o);
    } else {
      partials(Tensor::dq);
      partials(Tensor::dkv);
    }
  }

 private:
  std::vector<int64_t> tokens(SetId id) const {
    std::vector<int64_t> out;
    for (const Range& r : plan_.token_sets[id]) {
      for (int64_t t = r.begin; t < r.end; ++t) out.push_back(t);
    }
    return out;
  }
  std::vector<int32_t> ranks(SetId id) const {
    std::vector<int32_t> out;
    for (const Range& r : plan_.rank_sets[id]) {
      for (int64_t t = r.begin; t < r.end; ++t) out.push_back(static_cast<int32_t>(t));
    }
    return out;
  }
  bool has(SetId id, int64_t token) const {
    return contains(plan_.token_sets[id], Range{token, token + 1});
  }
  bool member(SetId ranks, int32_t rank) const {
    return contains(plan_.rank_sets[ranks], Range{rank, rank + 1});
  }
  // Whether the rank sends to (receives from) a rank other than itself.
  bool sends(const Send& s, int32_t rank) const {
    return member(s.from, rank) && !(ranks(s.to).size() == 1 && member(s.to, rank));
  }
  bool receives(const Send& s, int32_t rank) const {
    return member(s.to, rank) && !(ranks(s.from).size() == 1 && member(s.from, rank));
  }
  int32_t heads(Tensor t) const {
    return t == Tensor::kv || t == Tensor::dkv ? problem_.shape.kv_heads
                                               : problem_.shape.query_heads;
  }
  Heads unit(Tensor t, Heads h) const {
    return t == Tensor::kv || t == Tensor::dkv ? kv_heads_of(h, problem_.shape) : h;
  }
  bool in(Tensor t, Heads h, int32_t head) const {
    Heads u = unit(t, h);
    return u.begin <= head && head < u.end;
  }

  void coverage() {
    MaskIndex mask(problem_.batch);
    for (int64_t q = 0; q < plan_.tokens; ++q) {
      for_each_member(mask.visible_keys(q), [&](int64_t k) {
        for (int32_t h = 0; h < plan_.query_heads; ++h) {
          int times = 0;
          for (const Attend& a : pass_.attends) {
            times += has(a.q, q) && has(a.kv, k) && a.heads.begin <= h && h < a.heads.end;
          }
          if (times != 1) broken_.insert("P3");
        }
      });
    }
  }

  // Checks one rank's copies of one tensor by the arrivals and reads of each token and head.
  void copies(Tensor t, int32_t rank) {
    for (int64_t token = 0; token < plan_.tokens; ++token) {
      for (int32_t head = 0; head < heads(t); ++head) copies_of(t, rank, token, head);
    }
  }

  void copies_of(Tensor t, int32_t rank, int64_t token, int32_t head) {
    bool home = has(plan_.home[rank], token);
    constexpr int32_t kEnd = 1 << 20;
    struct Arrival {
      int32_t step;
      bool collective;
    };
    std::vector<Arrival> arrivals;
    std::vector<int32_t> reads;
    int kept = 0;
    for (const Keep& k : plan_.keep) {
      if (k.tensor == t && k.rank == rank && has(k.tokens, token) && in(t, k.heads, head)) ++kept;
    }
    if (!forward_) {
      for (int i = 0; i < kept; ++i) arrivals.push_back({-1, true});
      if (kept > 0 && (home || kept > 1)) broken_.insert("P8");
    }
    for (const Send& s : pass_.sends) {
      if (s.tensor != t || !has(s.tokens, token) || !in(t, s.heads, head)) continue;
      if (receives(s, rank)) arrivals.push_back({s.step, s.collective >= 0});
      if (sends(s, rank)) reads.push_back(s.step);
    }
    for (const Attend& a : pass_.attends) {
      bool reads_it =
          t == Tensor::kv ? has(a.kv, token) : has(a.q, token) && (t == Tensor::q || !forward_);
      if (a.rank == rank && reads_it && in(t, a.heads, head)) reads.push_back(a.step);
    }
    auto there_before = [&](int32_t step) {
      if (home) return true;
      for (const Arrival& a : arrivals) {
        if (a.step < step) return true;
      }
      return false;
    };
    for (int32_t step : reads) {
      if (!there_before(step)) broken_.insert("P4");
    }
    if (forward_ && kept > 0) {
      if (!there_before(kEnd)) broken_.insert("P8");
      reads.push_back(kEnd);
    }
    auto read_between = [&](int32_t after, int32_t until) {
      for (int32_t step : reads) {
        if (after < step && step <= until) return true;
      }
      return false;
    };
    for (size_t i = 0; i < arrivals.size(); ++i) {
      const Arrival& a = arrivals[i];
      if (a.step < 0) continue;
      if (home) broken_.insert("P7");
      if (!a.collective && !read_between(a.step, kEnd)) broken_.insert("P7");
      for (size_t j = 0; j < arrivals.size(); ++j) {
        const Arrival& b = arrivals[j];
        bool before = b.step < a.step || (b.step == a.step && j < i);
        if (before && !read_between(b.step, a.step)) broken_.insert("P7");
      }
    }
  }

  void partials(Tensor t) {
    size_t units = static_cast<size_t>(heads(t));
    std::vector<Bits> present(plan_.ranks, Bits(plan_.tokens, std::vector<bool>(units, false)));
    std::map<int32_t, bool> collective_fed;
    std::vector<std::pair<const Send*, bool>> reductions;
    for (int32_t step = 0; step < pass_.steps; ++step) {
      for (const Send& s : pass_.sends) {
        if (s.step != step || s.tensor != t) continue;
        std::vector<int32_t> senders = ranks(s.from);
        bool fed = false;
        for (int32_t from : senders) {
          if (!sends(s, from)) continue;
          for (int64_t token : tokens(s.tokens)) {
            for (size_t h = 0; h < units; ++h) {
              if (!in(t, s.heads, static_cast<int32_t>(h))) continue;
              if (present[from][token][h]) {
                fed = true;
              } else if (senders.size() == 1) {
                broken_.insert("P5");
              }
              present[from][token][h] = false;
            }
          }
        }
        if (senders.size() > 1 && s.tokens != RangeSets::kEmpty) reductions.emplace_back(&s, fed);
        if (fed && s.collective >= 0) collective_fed[s.collective] = true;
      }
      for (const Attend& a : pass_.attends) {
        if (a.step == step) add(present[a.rank], t, t == Tensor::dkv ? a.kv : a.q, a.heads);
      }
      for (const Send& s : pass_.sends) {
        if (s.step != step || s.tensor != t) continue;
        for (int32_t to : ranks(s.to)) {
          if (receives(s, to)) add(present[to], t, s.tokens, s.heads);
        }
      }
    }
    for (auto [s, fed] : reductions) {
      if (!(s->collective >= 0 ? collective_fed[s->collective] : fed)) broken_.insert("P5");
    }
    for (int32_t rank = 0; rank < plan_.ranks; ++rank) {
      for (int64_t token = 0; token < plan_.tokens; ++token) {
        for (bool left : present[rank][token]) {
          if (left && !has(plan_.home[rank], token)) broken_.insert("P6");
        }
      }
    }
  }

  void add(Bits& bits, Tensor t, SetId set, Heads query_heads) {
    for (int64_t token : tokens(set)) {
      for (size_t h = 0; h < bits[token].size(); ++h) {
        if (in(t, query_heads, static_cast<int32_t>(h))) bits[token][h] = true;
      }
    }
  }

  const Problem& problem_;
  const Plan& plan_;
  const Pass& pass_;
  bool forward_;
  std::set<std::string>& broken_;
};

}  // namespace

std::set<std::string> broken_rules(const Problem& problem, const Plan& plan) {
  std::set<std::string> broken;
  PassOracle(problem, plan, true, broken).run();
  PassOracle(problem, plan, false, broken).run();
  return broken;
}

}  // namespace cpbench::contract
