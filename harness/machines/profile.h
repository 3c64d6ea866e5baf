// An implementation profile: what an implementation costs on top of what its strategy must cost.
//
// `ideal` is a program as cpbench itself executes it, and the default. Others reproduce a published
// implementation; they are named for the figure they were fitted on. TOML files under
// profiles/; profiles.h reads them.
#pragma once

#include <cstdint>
#include <string>

namespace cpbench {

struct Profile {
  std::string name;         // stem of the file
  std::string description;  // one line
  std::string source;       // where the numbers are from, or what they were fitted on

  // Copies: seconds = launches * slice_seconds + bytes / (efficiency * memory bandwidth), bytes
  // read and written. A fused copy launches once per buffer, one by slices once per run of rows.
  bool copies_by_slices = false;
  double slice_seconds = 0;    // of one launch; 0: the machine's kernel launch
  double copy_efficiency = 1;  // share of the machine's achieved memory bandwidth
  // Besides the rows of the program: how often a rank moves the layout of all tokens through memory
  // (reads and writes it) after a library's all-gather, and before a library's reduce-scatter.
  double layout_passes = 0;
  bool operands_kept = false;  // Q, K, V that were gathered for a kernel stay for the backward pass
  double merge_bytes = 16;     // memory traffic of a merge, per element of O; fused 12-20, eager
                               // 38-54
  // Whether a partial O merges segment by segment of its kernel call, a slice each, as where each
  // segment has a row of log-sum-exps.
  bool merges_by_segments = false;
  double exchange_seconds = 0;           // host time of each rank per grouped exchange
  int32_t reserved_sms = 0;              // taken from kernels while communication runs
  bool collectives_as_messages = false;  // no library collectives
  // A rank copies a message itself, into a box and out of it, and packs in the order of its
  // program: nothing travels beside its work.
  bool messages_by_rank = false;
  bool substage_barrier = false;  // ranks that exchange in a sub-stage wait for each other
};

}  // namespace cpbench
