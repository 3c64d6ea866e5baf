// Plan to Program: once per batch, everything an iteration needs, decided ahead.
//
//   Program program = compile(problem, plan, Passes::both);   // all ranks, on all cores
//
// One rank at a time, as all of thousands of ranks are more than memory holds:
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

// An outline is the same program, operation by operation, without what only its execution needs:
// row operations say how many rows they move, but have no runs, and a segment's `out_row` and
// `dkv_row` mean nothing, so that backward calls share all segments of the forward ones. Where
// documents are many that is most of a program.
enum class Detail : uint8_t { full, outline };

// How the sends travel that a plan tags as a collective.
enum class Collectives : uint8_t {
  messages,  // each by itself
  // All in one call, where it is over all ranks, copies or sums, and blocks can lie one after
  // another (their bytes are a multiple of kBufferAlignment). Sums are then the library's, in the
  // dtype that travels. An all-to-all is a group of messages in NCCL too.
  library,
};

// `plan` must have passed `check` for the same problem and passes; both must outlive the compiler.
// Throws UserError where the batch has more tokens than 32-bit rows can number.
class Compiler {
 public:
  Compiler(const Problem& problem, const Plan& plan, Passes passes, Detail detail = Detail::full,
           Collectives collectives = Collectives::messages);
  ~Compiler();
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  // The same as compile(...).ranks[rank], or its outline. Several threads may call it at once.
  RankProgram rank(int32_t rank) const;
  // The same, in the memory of `program`: rank after rank without allocating anew.
  void rank(int32_t rank, RankProgram& program) const;

 private:
  std::unique_ptr<const struct CompileContext> context_;
};

Program compile(const Problem& problem, const Plan& plan, Passes passes,
                Collectives collectives = Collectives::messages);

}  // namespace cpbench
