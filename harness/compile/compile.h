// Compiles a plan to a program: everything that an iteration needs is decided once per batch.
//
//   Program program = compile(problem, plan, Passes::both);   // all ranks, on all cores
//
// One rank at a time, because the programs of thousands of ranks exceed memory:
//
//   const Compiler compiler(problem, plan, Passes::both);
//   for (int32_t r = 0; r < plan.ranks; ++r) {
//     const RankProgram program = compiler.rank(r);
//   }
#pragma once

#include <memory>

#include "harness/compile/program.h"
#include "harness/plan/check.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

// An outline is the same program, operation by operation, without what only its execution needs.
// Its row operations say how many rows they move but have no runs. The `out_row` and `dkv_row` of
// its segments have no meaning, so backward calls share all segments of the forward calls. Where a
// plan cuts every document alike, the segments of a call are counted and not listed. For batches of
// many documents this leaves out most of a program.
struct Detail {
  static const Detail full, outline;
  bool is_outline = false;
  // In an outline: counted segments of at most so many queries and keys are summed up, those of a
  // call in one.
  int32_t few_rows = 0;
  bool operator==(const Detail&) const = default;
};
inline constexpr Detail Detail::full{};
inline constexpr Detail Detail::outline{.is_outline = true};

// How the sends of a collective (by the plan's tags) are executed.
enum class Collectives : uint8_t {
  messages,  // each send by itself
  // All in one call, if the collective is over all ranks, copies or sums, and its blocks can lie
  // one after another (their bytes are a multiple of kBufferAlignment). The library then computes
  // the sums, in the dtype that travels. An all-to-all stays messages, as it is in NCCL too.
  library,
};

// `plan` must have passed `check` for the same problem and passes. Both must outlive the compiler.
// Throws UserError if the batch has more tokens than rows of 32 bits can number.
class Compiler {
 public:
  Compiler(const Problem& problem, const Plan& plan, Passes passes, Detail detail = Detail::full,
           Collectives collectives = Collectives::messages);
  ~Compiler();
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  // The same as compile(...).ranks[rank], or its outline. Several threads may call it at the same
  // time.
  RankProgram rank(int32_t rank) const;
  // The same, in the memory of `program`, so that compiling rank after rank does not allocate
  // again.
  void rank(int32_t rank, RankProgram& program) const;

 private:
  std::unique_ptr<const struct CompileContext> context_;
};

Program compile(const Problem& problem, const Plan& plan, Passes passes,
                Collectives collectives = Collectives::messages);

}  // namespace cpbench
