// One second of SimGrid is a millisecond here, because its precisions are absolute: it regards
// times that differ by less than 1e-9 as equal (here a picosecond, close to the resolution of a
// double), and weights below 1e-5 as zero (the weight of a message is 1 / latency).
#pragma once

namespace cpbench {

inline constexpr double kSimgridPerSecond = 1e3;

}  // namespace cpbench
