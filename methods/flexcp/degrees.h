// Stages 2 and 3: how many ranks each bin gets.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/flexcp/bins.h"

namespace cpbench::flexcp {

// Sets every bin's degree so that the slowest bin is as fast as `ranks` ranks can make it, with
// degree >= least_ranks; the sum of least_ranks must not exceed `ranks`. Exact: with
//
//   D[k][n] = min over d of max(D[k-1][n-d], T_k(d))     the first k bins on at most n ranks
//
// D falls with n. With T_k(d) replaced by the best of degrees up to d, which changes no minimum,
// the two sides of the max cross once, and the crossing moves one way as n grows: K N instead of K
// N^2.
void choose_degrees(std::vector<Bin>& bins, int32_t ranks, const GroupCost& cost);

// Ranks left over go to the slowest bin, as many as make it fastest, again and again; the rest stay
// idle when it gains nothing more, since no other bin can shorten the micro-batch.
void spend_leftover(std::vector<Bin>& bins, int32_t ranks, const GroupCost& cost);

// Of the slowest bin, with the degrees chosen; empty bins take no time.
double slowest_seconds(const std::vector<Bin>& bins, const GroupCost& cost);

}  // namespace cpbench::flexcp
