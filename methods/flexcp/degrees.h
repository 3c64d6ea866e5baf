// Stages 2 and 3: how many ranks each bin gets.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/flexcp/bins.h"

namespace cpbench::flexcp {

// Sets the degree of every bin so that the slowest bin is as fast as `ranks` ranks allow, with
// degree >= least_ranks. The sum of least_ranks must not exceed `ranks`. The result is exact. The
// recurrence is
//
//   D[k][n] = min over d of max(D[k-1][n-d], T_k(d))     the first k bins on at most n ranks
//
// D decreases with n. Replacing T_k(d) by its best value over degrees up to d changes no minimum;
// then the two sides of the max cross once, and the crossing moves in one direction as n grows. So
// this takes K N steps instead of K N^2.
void choose_degrees(std::vector<Bin>& bins, int32_t ranks, const GroupCost& cost);

// Ranks that are left over go to the slowest bin, as many as make it fastest, again and again. When
// it gains nothing more, the rest stay idle, because no other bin can shorten the micro-batch.
void spend_leftover(std::vector<Bin>& bins, int32_t ranks, const GroupCost& cost);

// The time of the slowest bin, with the degrees chosen. Empty bins take no time.
double slowest_seconds(const std::vector<Bin>& bins, const GroupCost& cost);

}  // namespace cpbench::flexcp
