// A ClusterModel: what a cluster costs, as data. Strategies see `cluster` alone; the simulator
// reads all.
//
// Bandwidths are what one direction of a link achieves, not its nominal rate. Presets are TOML
// files under clusters/; clusters.h reads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/plan/problem.h"

namespace cpbench {

struct Link {
  double latency_seconds = 0;   // of one message
  double bytes_per_second = 0;  // of one rank, per direction, shared by its concurrent messages
};

// A library's collective over `ranks` ranks of one node:
//   seconds = latency_seconds + factor * bytes / bytes_per_second
// with nccl-tests' factor (n-1)/n and bytes those of the whole gathered (or scattered) buffer.
struct CollectiveFit {
  int32_t ranks = 0;
  double latency_seconds = 0;
  double bytes_per_second = 0;
};

struct ClusterModel {
  std::string name;         // stem of the file
  std::string description;  // one line
  std::string source;       // where the numbers are from
  Cluster cluster;          // of as many nodes as the run has; peak, memory, nominal bandwidths

  int32_t sms = 0;                              // streaming multiprocessors (or cores) of one GPU
  std::string kernel;                           // name of its kernel model (kernel_time.h)
  double kernel_launch_seconds = 0;             // from one kernel to the next on a stream
  double achieved_memory_bytes_per_second = 0;  // of copies, read and written bytes counted
  double gemm_efficiency = 0;  // of the layer around the attention, share of the peak

  Link intra_node;
  Link inter_node;  // per rank; unused on one node
  // All ranks of a node together, per direction; 0: as much as its ranks' links.
  double node_uplink_bytes_per_second = 0;
  // Share of inter_node that a rank achieves when several send to it at once, as in an all-to-all.
  double inter_node_all_to_all_efficiency = 1;

  // Rows by ascending ranks; between them, and beyond the last, the nearest row. Empty: costed as
  // the messages that the collective stands for.
  std::vector<CollectiveFit> all_gather;
  std::vector<CollectiveFit> reduce_scatter;

  double mean_error = -1;  // relative, of the network fits on what was measured; -1: not measured
  double worst_error = -1;
};

}  // namespace cpbench
