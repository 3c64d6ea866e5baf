// Clusters: one TOML file of clusters/ each describes a node and the fabric between nodes.
//
//   Machine machine = machine_of(find_cluster("h100"), 32);   // four nodes of eight
//
// A preset is a Machine of one whole node; how many nodes there are follows from the ranks.
#pragma once

#include <string>
#include <vector>

#include "harness/cost/machine.h"

namespace cpbench {

// A name of `list_clusters`, or the path of a TOML file with the same keys. Throws UserError: the
// nearest name for an unknown one; file, line and key for a bad file.
Machine find_cluster(const std::string& name);

std::vector<Machine> list_clusters();  // sorted by name

// `nodes` = 0: as few as hold the ranks. Throws UserError unless the ranks fill their nodes evenly,
// and for several nodes where the preset has no link between them.
Machine machine_of(const Machine& preset, int32_t ranks, int32_t nodes = 0);

// `place` opens the error messages: the file's name.
Machine parse_cluster(const std::string& name, const std::string& place,
                      const std::string& toml_text);

// A file that `parse_cluster` reads back to the same preset (numbers to six digits).
std::string cluster_toml(const Machine& preset);

}  // namespace cpbench
