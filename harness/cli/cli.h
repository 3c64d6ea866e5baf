// The command line: `cpbench COMMAND ...`. Exit codes: 0 good, 1 something failed, 2 bad usage or
// input, 130 interrupted. Data goes to stdout, narration to stderr.
#pragma once

namespace cpbench {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

int command_line_main(int argc, char** argv);

}  // namespace cpbench
