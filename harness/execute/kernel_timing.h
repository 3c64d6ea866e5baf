// Times kernel calls, row copies and merges of the threads executor on one core of this machine.
// `cpbench calibrate cpu` fits a kernel model to these times.
//
//   std::vector<TimedCall> calls = {{.heads = {0, 8},
//                                    .segments = {{.q_rows = 64, .kv_rows = 64}}}};
//   time_calls("fused", shape, calls);
//   calls[0].forward_seconds
//
// Times are CPU times of the thread, so they exclude the time that other processes have the core.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/compile/program.h"

namespace cpbench {

struct TimedCall {
  Heads heads;                    // query heads of the shape
  std::vector<Segment> segments;  // rows from 0 on; out_row and dkv_row equal q_row and kv_row
  double forward_seconds = 0;     // results
  double backward_seconds = 0;
};

// Sets the seconds of each call: the best of three medians of several runs. Throws UserError for an
// unknown kernel or a shape that it does not support.
void time_calls(const std::string& kernel, const AttentionShape& shape, std::span<TimedCall> calls);

struct RowRates {
  double copied_bytes_per_second = 0;     // copies of kv rows, counting bytes read and written
  double merged_elements_per_second = 0;  // elements of O into which a partial result is merged
};
// Measures with buffers of `rows` rows. If they exceed the caches, these are the rates of memory.
RowRates measure_row_rates(const AttentionShape& shape, int64_t rows);

}  // namespace cpbench
