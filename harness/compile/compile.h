// Plan to Program: once per batch, everything an iteration needs, decided ahead.
//
//   Program program = compile(problem, plan, Passes::both);   // all ranks, on all cores
//
//   const Compiler compiler(problem, plan, Passes::both);     // one rank at a time: at thousands
//   of for (int32_t r = 0; r < plan.ranks; ++r) {                // ranks all are more than memory
//   holds
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

// `plan` must have passed `check` for the same problem and passes; both must outlive the compiler.
// Throws UserError where the batch has more tokens than 32-bit rows can number.
class Compiler {
 public:
  Compiler(const Problem& problem, const Plan& plan, Passes passes, Detail detail = Detail::full);
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

Program compile(const Problem& problem, const Plan& plan, Passes passes);

}  // namespace cpbench
