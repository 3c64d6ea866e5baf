#include "tests/numerics/run_plan.h"

#include <sstream>

#include "harness/compile/compile.h"
#include "harness/plan/plan_bytes.h"
#include "harness/plan/test_problems.h"

namespace cpbench {
namespace {

void add_planned(const Pass& pass, const Plan& plan, const AttentionShape& shape,
                 std::vector<int64_t>& bytes) {
  for (const Send& send : pass.sends) {
    const int64_t each = cost_of(send, pass, plan, shape).bytes_per_pair;
    for (const Range& from : plan.rank_sets[send.from]) {
      for (const Range& to : plan.rank_sets[send.to]) {
        for (int64_t a = from.begin; a < from.end; ++a) {
          for (int64_t b = to.begin; b < to.end; ++b) {
            if (a != b) bytes[a * plan.ranks + b] += each;
          }
        }
      }
    }
  }
}

}  // namespace

std::string trouble_with(const Problem& problem, const Plan& plan, const ExecuteOptions& options) {
  std::ostringstream trouble;
  trouble << violations(problem, plan, options.passes);
  if (!trouble.str().empty()) return trouble.str();
  const Program program = compile(problem, plan, options.passes);
  for (const std::string& line : verify(program)) trouble << line << "\n";
  if (!trouble.str().empty()) return trouble.str();
  const Timeline timeline = execute_threads(problem, program, options);
  if (!timeline.accuracy.ok()) {
    trouble << "output error " << timeline.accuracy.max_error_output << " (tolerance "
            << timeline.accuracy.tolerance_output << "), gradient error "
            << timeline.accuracy.max_error_gradient << " (tolerance "
            << timeline.accuracy.tolerance_gradient << ")\n";
  }
  return trouble.str() + trouble_with_bytes(problem, plan, options.passes, timeline);
}

std::string trouble_with_bytes(const Problem& problem, const Plan& plan, Passes passes,
                               const Timeline& timeline) {
  std::ostringstream trouble;
  std::vector<int64_t> planned(static_cast<size_t>(plan.ranks) * plan.ranks, 0);
  add_planned(plan.forward, plan, problem.shape, planned);
  if (passes == Passes::both) add_planned(plan.backward, plan, problem.shape, planned);
  for (size_t i = 0; i < planned.size(); ++i) {
    if (planned[i] != timeline.bytes_sent[i]) {
      trouble << "rank " << i / plan.ranks << " to " << i % plan.ranks << ": planned " << planned[i]
              << " bytes, counted " << timeline.bytes_sent[i] << "\n";
    }
  }
  return trouble.str();
}

}  // namespace cpbench
