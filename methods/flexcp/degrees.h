// Stages 2 and 3: how many ranks each bin gets.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/flexcp/bins.h"
#include "methods/flexcp/cost.h"

namespace cpbench::flexcp {

// Sets the degree of every bin so that the slowest bin is as fast as `ranks` ranks allow, with
// least_ranks <= degree <= max_degree. The sum of least_ranks must not exceed `ranks`. The result
// is exact. The recurrence is
//
//   D[k][n] = min over d of max(D[k-1][n-d], T_k(d))     the first k bins on at most n ranks
//
// D decreases with n. Replacing T_k(d) by its best value over degrees up to d changes no minimum;
// then the two sides of the max cross once, and the crossing moves in one direction as n grows. So
// this takes K N steps instead of K N^2.
void choose_degrees(std::vector<Bin>& bins, int32_t ranks, int32_t max_degree, const Cost& cost);

// Who gets the ranks that are left over.
enum class Leftover : uint8_t {
  // One rank each to the bins below max_degree, in turn, until none is left: the published rule.
  round_robin,
  // The slowest bin, as many as make it fastest, again and again. When it gains nothing more, the
  // rest stay idle, because no other bin can shorten the micro-batch.
  slowest,
};
void spend_leftover(std::vector<Bin>& bins, int32_t ranks, int32_t max_degree, Leftover rule,
                    const Cost& cost);

// The time of the slowest bin, with the degrees chosen. Empty bins take no time.
double slowest_seconds(const std::vector<Bin>& bins, const Cost& cost);

}  // namespace cpbench::flexcp
