#pragma once

namespace cpbench {

// PlanStrategy/<name>/<ranks> and CheckStrategy/<name>/<ranks> for the whole registry.
void register_plan_benchmarks();

// Compile/<workload>/<strategy>/<ranks>.
void register_compile_benchmarks();

// Simulate/<workload>/<strategy>/<ranks>.
void register_simulate_benchmarks();

}  // namespace cpbench
