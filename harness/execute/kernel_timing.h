// How fast one core of this machine runs what the threads executor runs: kernel calls, row copies,
// merges. From these times `cpbench calibrate cpu` fits a kernel model.
//
//   std::vector<TimedCall> calls = {{.heads = {0, 8}, .segments = {{.q_rows = 64, .kv_rows =
//   64}}}}; time_calls("fused", shape, calls); calls[0].forward_seconds
//
// Times are of the thread on its core: what it waits while others have the core is not in them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/compile/program.h"

namespace cpbench {

struct TimedCall {
  Heads heads;                    // query heads of the shape
  std::vector<Segment> segments;  // rows from 0 on; out_row and dkv_row as q_row and kv_row
  double forward_seconds = 0;
  double backward_seconds = 0;
};

// Fills in the seconds: the best of three medians of several runs. Throws UserError for an unknown
// kernel or a shape it cannot do.
void time_calls(const std::string& kernel, const AttentionShape& shape, std::span<TimedCall> calls);

struct RowRates {
  double copied_bytes_per_second = 0;  // rows of kv from buffer to buffer; read and written bytes
  double merged_elements_per_second = 0;  // elements of O that take in a partial result
};
// Buffers of `rows` rows; of more than fit the caches, rates of memory.
RowRates measure_row_rates(const AttentionShape& shape, int64_t rows);

}  // namespace cpbench
