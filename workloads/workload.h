// A workload: a source of document lengths, packed into batches. The same seed gives the same
// batches on every platform.
//
//   auto pile = find_workload("pile");
//   std::vector<Batch> packs = make_packs(*pile, {.tokens = 8192, .packs = 2, .seed = 1});
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/plan/errors.h"
#include "harness/plan/problem.h"

namespace cpbench {

// A stream of document lengths in tokens, each >= 1, without end.
class LengthStream {
 public:
  virtual ~LengthStream() = default;
  virtual int64_t next() = 0;
};

class Workload {
 public:
  virtual ~Workload() = default;
  std::string name;         // as given: "pile", "lognormal:mean=16K,sigma=2", "lengths.csv"
  std::string kind;         // "lengths" (a shipped set, or a mix of them), "synthetic", "file"
  std::string title;        // "The Pile"
  std::string description;  // one line
  std::string source;       // where the numbers are from, licence, cautions; "" if synthetic
  virtual std::unique_ptr<LengthStream> stream(uint64_t seed) const = 0;
};

// A name of `list_workloads`, a mix of length sets, a distribution with its parameters, or the path
// of a file. Throws UserError: the nearest name for an unknown one, file and line for an unreadable
// one.
std::unique_ptr<Workload> find_workload(const std::string& name);

struct WorkloadSummary {
  std::string name, kind, title, description, source;
};
std::vector<WorkloadSummary> list_workloads();  // sorted by kind, name; not files

struct PackingOptions {
  int64_t tokens = 0;  // of each pack, exactly
  int32_t packs = 1;
  uint64_t seed = 1;
  std::string policy = "truncate";  // one of packing_policies()
};

struct PackingPolicy {
  std::string name;  // "truncate" (cut at the end of the pack, remainder dropped), "carry"
                     // (remainder starts the next pack), "best_fit"
  std::string description;
};
const std::vector<PackingPolicy>& packing_policies();

std::vector<Batch> make_packs(const Workload& workload, const PackingOptions& options);

}  // namespace cpbench
