// Clusters by name or file. Each TOML file in clusters/ describes a node and the fabric between
// nodes.
//
//   ClusterModel cluster = cluster_with_ranks(find_cluster("h100"), 32);   // four nodes of eight
//
// A preset is a ClusterModel of one full node; the number of nodes follows from the ranks.
#pragma once

#include <string>
#include <vector>

#include "harness/machines/cluster_model.h"
#include "harness/presets/presets.h"

namespace cpbench {

// `name` is one of `list_clusters`, or the path of a TOML file with the same keys. Throws UserError
// with the nearest name for an unknown one, and with file, line and key for a bad file.
ClusterModel find_cluster(const std::string& name);

std::vector<ClusterModel> list_clusters();  // sorted by name

// The preset with `ranks` ranks on `nodes` nodes; 0 nodes: as few as hold the ranks. Throws
// UserError if the ranks do not fill the nodes evenly, and if several nodes have no link between
// them.
ClusterModel cluster_with_ranks(const ClusterModel& preset, int32_t ranks, int32_t nodes = 0);

ClusterModel parse_cluster(const Preset& preset);

// The text of a file from which `parse_cluster` reads the same preset (numbers to six digits).
std::string cluster_toml(const ClusterModel& preset);

}  // namespace cpbench
