// Ranks are compiled one after another; they share the mask, the index of the plan and the sets.
#include "harness/compile/compile.h"

#include "harness/compile/rank_compiler.h"

namespace cpbench {

Program compile(const Problem& problem, const Plan& plan, Passes passes) {
  Program program{.shape = problem.shape,
                  .passes = passes,
                  .tokens = plan.tokens,
                  .token_sets = plan.token_sets,
                  .home = plan.home,
                  .ranks = std::vector<RankProgram>(plan.ranks)};
  CompileContext context{
      problem,
      plan,
      passes,
      MaskIndex(problem.batch),
      {PassIndex(plan.forward, plan, problem.shape), PassIndex(plan.backward, plan, problem.shape)},
      RowMaps(program.token_sets)};
  for (int32_t rank = 0; rank < plan.ranks; ++rank) {
    RankCompiler(context, rank, program.ranks[rank]).compile();
  }
  return program;
}

}  // namespace cpbench
