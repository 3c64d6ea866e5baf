// An implementation profile: what an implementation costs on top of what its strategy requires.
//
// `ideal`, the default, is a program as cpbench itself executes it. The others reproduce published
// implementations. They are the TOML files in profiles/, which profiles.h reads.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace cpbench {

struct Profile {
  std::string name;         // stem of the file
  std::string description;  // one line
  std::string source;       // where the numbers come from, or what they were fitted to
  // By key of the file, where its value comes from. A value without one is an assumption.
  std::map<std::string, std::string> sources;

  // A copy takes launches * slice_seconds + bytes / (copy_efficiency * memory bandwidth), where the
  // bytes are those that it reads and writes. A fused copy launches once per buffer, a copy by
  // slices once per contiguous run of rows.
  bool copies_by_slices = false;
  double slice_seconds = 0;    // of one launch; 0: the cluster's kernel launch
  double copy_efficiency = 1;  // share of the cluster's achieved memory bandwidth
  // How often a rank reads and writes the layout of all tokens after a library's all-gather and
  // before a library's reduce-scatter, in addition to the copies of the program.
  double layout_passes = 0;
  double backward_layout_passes = -1;  // the same in the backward pass; -1: as in the forward pass
  // Whether a kernel's results are tensors of a library in the model's dtype: a partial O is then
  // copied to fp32, and dQ, dK and dV are added to fp32. If not, a kernel writes and adds in place.
  bool library_results = true;
  // How often a kernel call copies the rows of its queries (Q or O, as many bytes as O) and of its
  // keys (K and V) besides, in the model's dtype: unpadding, padding, taking halves.
  double forward_query_copies = 0, forward_key_copies = 0;
  double backward_query_copies = 0, backward_key_copies = 0;
  bool operands_kept = false;  // Q, K, V that were gathered for a kernel stay for the backward pass
  double merge_bytes = 16;     // memory traffic of a merge, per element of O; fused 12-20, eager
                               // 38-54
  // Whether a partial O is merged separately for each segment of its kernel call, as in code that
  // has one row of log-sum-exps per segment.
  bool merges_by_segments = false;
  // Kernels that are launched around and with each kernel call, in all, and with each merge. Each
  // takes the cluster's kernel launch on the GPU, and launch_host_seconds on the host.
  double forward_call_launches = 1, backward_call_launches = 1, merge_launches = 1;
  // The host of a rank launches work in the order of the program and does not wait for it. An
  // operation starts when the GPU is free and the host has launched it. How long the host takes:
  double launch_host_seconds = 0;  // for each launch
  double slice_host_seconds = 0;   // for each slice of a copy by slices
  double exchange_seconds = 0;     // for each grouped exchange
  double graph_seconds = 0;        // for launching the whole iteration as a graph, before it starts

  int32_t reserved_sms = 0;              // kernels do not have these while communication runs
  int32_t collective_sms = 0;            // the same, while a library's collective runs
  int32_t sm_margin = 0;                 // attention kernels never have these
  bool collectives_as_messages = false;  // library collectives are not used
  // Whether a rank itself copies each message in and out, in the order of its program, so that
  // communication does not overlap with its work.
  bool messages_by_rank = false;
  // How many steps' messages a rank has room for, one of them in use; 0: as the plan says.
  int32_t buffers = 0;
  bool substage_barrier = false;  // ranks that exchange in a sub-stage wait for one another
  // Whether a multicast crosses to each other node once. The first of its receivers there passes it
  // on over the links of the node, when it has all of it.
  bool multicast_per_node = false;
};

}  // namespace cpbench
