#pragma once

namespace cpbench {

// PlanStrategy/<name>/<ranks> and CheckStrategy/<name>/<ranks> for the whole registry.
void register_plan_benchmarks();

}  // namespace cpbench
