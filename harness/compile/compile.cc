// Ranks share only what none of them changes: the mask, the index of the plan and its sets. So each
// rank can be compiled on any thread, and the result does not depend on the thread.
#include "harness/compile/compile.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <string>
#include <thread>

#include "harness/compile/rank_compiler.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

constexpr int64_t kMostTokens = std::numeric_limits<int32_t>::max();

// Calls visit(i, scratch) for i in [0, count) on all cores. Each thread has a scratch of its own.
// The first exception ends the loop.
template <typename Scratch, typename Visit>
void for_each_on_all_cores(int32_t count, const Visit& visit) {
  std::atomic<int32_t> next = 0;
  std::exception_ptr failure;
  std::atomic_flag failed;
  const auto work = [&] {
    try {
      Scratch scratch;
      for (int32_t i = next++; i < count; i = next++) visit(i, scratch);
    } catch (...) {
      if (!failed.test_and_set()) failure = std::current_exception();
      next = count;
    }
  };
  const auto cores = static_cast<int32_t>(std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::thread> others;
  for (int32_t i = 1; i < std::min(cores, count); ++i) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

Compiler::Compiler(const Problem& problem, const Plan& plan, Passes passes, Detail detail,
                   Collectives collectives) {
  if (plan.tokens > kMostTokens) {
    throw UserError("a batch of " + std::to_string(plan.tokens) +
                    " tokens cannot be compiled; at most " + std::to_string(kMostTokens) + " can");
  }
  context_ = std::make_unique<const CompileContext>(problem, plan, passes, detail, collectives);
}

Compiler::~Compiler() = default;

RankProgram Compiler::rank(int32_t rank) const {
  RankProgram program;
  this->rank(rank, program);
  return program;
}

void Compiler::rank(int32_t rank, RankProgram& program) const {
  RankCompiler(*context_, rank, program).compile();
}

Program compile(const Problem& problem, const Plan& plan, Passes passes, Collectives collectives) {
  const Compiler compiler(problem, plan, passes, Detail::full, collectives);
  Program program{.shape = problem.shape,
                  .passes = passes,
                  .tokens = plan.tokens,
                  .ranks = std::vector<RankProgram>(plan.ranks)};
  // A copy is no larger than needed; vectors that grew can be up to twice as large.
  for_each_on_all_cores<RankProgram>(plan.ranks, [&](int32_t rank, RankProgram& scratch) {
    compiler.rank(rank, scratch);
    program.ranks[rank] = scratch;
  });
  return program;
}

}  // namespace cpbench
