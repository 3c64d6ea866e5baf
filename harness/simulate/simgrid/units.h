// SimGrid's second is our millisecond, because its precisions are absolute: it takes times closer
// than 1e-9 as one (here a picosecond, seldom more than a double resolves), and weights of 1e-5 as
// none (a message weighs 1 / latency).
#pragma once

namespace cpbench {

inline constexpr double kSimgridPerSecond = 1e3;

}  // namespace cpbench
