// Compiles one rank, step by step: its sends, its attends, its arrivals.
#pragma once

#include <array>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "harness/compile/compile.h"
#include "harness/compile/copies.h"
#include "harness/compile/partials.h"
#include "harness/compile/plan_index.h"
#include "harness/compile/rank_builder.h"
#include "harness/compile/segments.h"
#include "harness/plan/mask.h"

namespace cpbench {

// What all ranks read and none of them changes.
struct CompileContext {
  CompileContext(const Problem& problem, const Plan& plan, Passes passes, Detail detail,
                 Collectives collectives)
      : problem(problem),
        plan(plan),
        passes(passes),
        detail(detail),
        mask(problem.batch),
        index{PassIndex(plan.forward, plan, problem.shape, collectives),
              PassIndex(plan.backward, plan, problem.shape, collectives)},
        sets(plan.token_sets, plan.home, cut_of(plan, mask, detail), sent_sets(plan)) {}
  // How the sets of queries cut the documents; nothing if segments must be listed.
  static std::optional<DocumentCut> cut_of(const Plan& plan, const MaskIndex& mask, Detail detail);
  static std::vector<SetId> sent_sets(const Plan& plan);
  const Problem& problem;
  const Plan& plan;
  Passes passes;
  Detail detail;
  MaskIndex mask;
  std::array<PassIndex, 2> index;  // forward, backward
  PlanSets sets;
};

class RankCompiler {
 public:
  RankCompiler(const CompileContext& context, int32_t rank, RankProgram& program);
  void compile();

 private:
  // What some queries see of some keys.
  struct Sight {
    SetId keys = RangeSets::kEmpty;
    // If its segments are counted, not listed:
    bool counted = false;
    SetId all_keys = RangeSets::kEmpty;  // with those that no query sees
    SetId queries = RangeSets::kEmpty;   // those that see some key
    int32_t first_segment = 0;           // in the program
    int32_t segments = 0;
  };

  // One attend, or several attends of the same queries together.
  struct Work {
    SetId q = RangeSets::kEmpty;
    SetId kv = RangeSets::kEmpty;  // only the visible keys
    const Sight* sight = nullptr;  // of a single attend
    int32_t q_buffer = -1, d_o_buffer = -1, kv_buffer = -1;
  };

  // A call without the buffers of its results. Forward and backward calls of the same operands
  // share it.
  struct CallShape {
    int32_t first_segment = 0;  // in the program
    int32_t segments = 0;
    SetId queries = RangeSets::kEmpty;  // the tokens that the segments touch
    SetId keys = RangeSets::kEmpty;
    SetId out = RangeSets::kEmpty;  // the sets whose rows out_row and dkv_row count
    SetId dkv = RangeSets::kEmpty;
    bool counted = false;
    bool used = false;
  };

  void pass(int32_t number);
  // Clears the home rows of cached queries and of keys that no query sees: nothing was added to
  // them, so they are zero.
  void clear_untouched();
  const Pass& pass() const { return pass_ == 0 ? context_.plan.forward : context_.plan.backward; }
  void send(const Send& send, int32_t number);
  // The buffer that is already laid out as this message, or -1.
  int32_t lying_as_sent(const Send& send, Heads heads, int64_t bytes);
  int32_t owner_of(const Send& send) const;  // the receiver if its home has the tokens, else -1
  ElementClass elements_on_wire(Tensor tensor) const;
  // Whether tensors of this kind travel as latents.
  bool as_latents(Tensor tensor) const {
    return has_kv_heads(tensor) && context_.problem.shape.latents_travel();
  }
  // A message of the tensor, and where what it holds is on the rank.
  int32_t message_buffer(const Send& send, Heads heads, int64_t bytes);
  Copies& copies_as_sent(Tensor tensor) { return as_latents(tensor) ? latents_ : copies_; }
  Partials& d_latents() { return partials_.back(); }
  void receive(const Send& send, int32_t number);
  void receive_latents(const Send& send, Heads heads, int32_t buffer);
  // Whether a call of a library's collective does what this send does. The first of its sends makes
  // the call.
  bool in_library_collective(const Send& send) const;
  void call_collective(const Send& send);
  void take_from_collective(const Send& send);
  void attend(std::span<const int32_t> attends);
  void attend_heads(Heads heads, std::span<const int32_t> attends);
  const Sight& sight_of(SetId q, SetId kv);
  bool count(SetId q, SetId kv, Sight& sight);
  void find_queries(Heads heads, std::vector<Work>& work);
  void find_keys(Heads heads, std::vector<Work>& work);
  SetId united(const std::vector<SetId>& list);
  int32_t gathered(Tensor tensor, SetId tokens, Heads query_heads);
  void calls(Heads heads, const std::vector<Work>& work);
  std::vector<CallShape> shapes_of(const Call& call, const std::vector<const Work*>& items);
  // The segments of queries and keys in the buffers that hold the sets.
  std::vector<CallSegments> listed(SetId q, SetId q_set, SetId kv, SetId kv_set);
  void emit(Call call, CallShape& shape);
  void emit_backward(Call call, CallShape& shape);
  // Chooses the buffer to which a call adds its gradients, and clears what must start at zero.
  int32_t gradient_target(Tensor tensor, Heads query_heads, SetId touched, const CallShape& shape,
                          int32_t source);
  // Whether the rows of each segment are consecutive in `to` too.
  bool together(const CallShape& shape, bool keys, SetId from, SetId to);
  void place(std::span<Segment> segments, bool keys, SetId from, SetId to);
  void add_call(Call call, CallShape& shape);
  std::vector<Heads> used_heads(Tensor tensor) const;
  Partials& partials(Tensor tensor);

  const CompileContext& context_;
  int32_t rank_;
  RankBuilder builder_;
  Copies copies_;
  Copies latents_;  // of K and V, if these travel as latents: `copies_` has what was made of them
  std::map<std::pair<SetId, SetId>, Sight> sights_;  // by (q, kv)
  SetId seeing_ = RangeSets::kNone;                  // the last queries of which a sight was listed
  Ranges seen_;                                      // the keys that they see
  // By the sets of the operands, followed by the queries and keys of each part.
  std::map<std::vector<SetId>, std::vector<CallShape>> shapes_;
  // Packed messages of copies, by tensor, tokens, heads and bytes.
  std::map<std::tuple<Tensor, SetId, int32_t, int32_t, int64_t>, int32_t> packed_;
  std::vector<Partials> partials_;     // of the current pass: o, or dq, dkv and d_latents
  std::vector<int32_t> first_blocks_;  // by collective of the current pass; -1 before its call
  int32_t pass_ = 0;
};

}  // namespace cpbench
