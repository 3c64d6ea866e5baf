// A ClusterModel describes a cluster: its GPUs, memory, links and library collectives. Strategies
// see only `cluster`; the simulator reads all of it.
//
// Bandwidths are those that one direction of a link achieves, not its nominal rate. The presets are
// the TOML files in clusters/, which clusters.h reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/plan/problem.h"

namespace cpbench {

struct Link {
  double latency_seconds = 0;   // of one message
  double bytes_per_second = 0;  // of one rank, per direction; its concurrent messages share it
};

// The time of a library's collective over `ranks` ranks of one node, as a fit:
//   seconds = latency_seconds + factor * bytes / bytes_per_second
// where the factor is (n-1)/n, as in nccl-tests, and bytes is the size of the whole gathered (or
// scattered) buffer.
struct CollectiveFit {
  int32_t ranks = 0;
  double latency_seconds = 0;
  double bytes_per_second = 0;
};

struct ClusterModel {
  std::string name;         // stem of the file
  std::string description;  // one line
  std::string source;       // where the numbers come from
  Cluster cluster;          // nodes of the run; peak, memory and nominal bandwidths

  int32_t sms = 0;                              // streaming multiprocessors (or cores) of one GPU
  std::string kernel;                           // name of its kernel model (kernel_time.h)
  double kernel_launch_seconds = 0;             // from one kernel to the next on a stream
  double achieved_memory_bytes_per_second = 0;  // of copies; read and written bytes both count
  double gemm_efficiency = 0;  // share of the peak that the layer around the attention reaches

  Link intra_node;
  // Between two GPUs of a node that are wired to one another, per direction: a mesh. 0: a switch,
  // through which a GPU may send to one other GPU at its full rate.
  double pair_bytes_per_second = 0;
  Link inter_node;  // per rank; unused on one node
  // Of all ranks of a node together, per direction; 0: the sum of its ranks' links.
  double node_uplink_bytes_per_second = 0;
  // Whether messages to other nodes may leave through all NICs of the sender's node, as with NCCL's
  // PXN, which hands them over NVLink to the GPU next to the NIC that reaches the receiver. They
  // arrive at the receiver's own NIC.
  bool pooled_nics = false;
  // Share of inter_node that a rank achieves while several ranks send to it, as in an all-to-all.
  double inter_node_all_to_all_efficiency = 1;

  // Sorted by ranks; for other numbers of ranks the nearest row holds. Empty: a ring over the links
  // gives the time (harness/simulate/collectives.h).
  std::vector<CollectiveFit> all_gather;
  std::vector<CollectiveFit> reduce_scatter;

  double mean_error = -1;  // relative error of the network fits on measured times; -1: unknown
  double worst_error = -1;
};

}  // namespace cpbench
