#pragma once

namespace cpbench {

// PlanStrategy, CheckStrategy and ReportStrategy, each /<strategy>/<pack>[/<options>]/<ranks>.
void register_plan_benchmarks();

// FcpQuality/<length set>/<ranks>.
void register_fcp_benchmarks();

// Compile/<workload>/<strategy>/<ranks>.
void register_compile_benchmarks();

// Simulate/<workload>/<strategy>/<ranks>.
void register_simulate_benchmarks();

}  // namespace cpbench
