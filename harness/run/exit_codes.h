// The exit codes of cpbench.
#pragma once

namespace cpbench {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;  // a run failed, no run is supported, or an internal error
inline constexpr int kExitUsage = 2;    // bad usage or input
inline constexpr int kExitInterrupted = 130;  // Ctrl-C or SIGTERM

}  // namespace cpbench
