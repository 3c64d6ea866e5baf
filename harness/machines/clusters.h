// Clusters: one TOML file of clusters/ each describes a node and the fabric between nodes.
//
//   ClusterModel machine = machine_of(find_cluster("h100"), 32);   // four nodes of eight
//
// A preset is a ClusterModel of one whole node; how many nodes there are follows from the ranks.
#pragma once

#include <string>
#include <vector>

#include "harness/machines/cluster_model.h"
#include "harness/presets/presets.h"

namespace cpbench {

// A name of `list_clusters`, or the path of a TOML file with the same keys. Throws UserError: the
// nearest name for an unknown one; file, line and key for a bad file.
ClusterModel find_cluster(const std::string& name);

std::vector<ClusterModel> list_clusters();  // sorted by name

// `nodes` = 0: as few as hold the ranks. Throws UserError unless the ranks fill their nodes evenly,
// and for several nodes where the preset has no link between them.
ClusterModel machine_of(const ClusterModel& preset, int32_t ranks, int32_t nodes = 0);

ClusterModel parse_cluster(const Preset& preset);

// A file that `parse_cluster` reads back to the same preset (numbers to six digits).
std::string cluster_toml(const ClusterModel& preset);

}  // namespace cpbench
