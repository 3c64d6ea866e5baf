// A workload is a source of document lengths, which are packed into batches. The same seed gives
// the same batches on every platform.
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

// An endless stream of document lengths in tokens, each at least 1.
class LengthStream {
 public:
  virtual ~LengthStream() = default;
  virtual int64_t next() = 0;
  // Whether a pack ends after the last length, full or not.
  virtual bool ends_pack() const { return false; }
};

class Workload {
 public:
  virtual ~Workload() = default;
  std::string name;         // as given: "pile", "lognormal:mean=16K,sigma=2", "lengths.csv"
  std::string kind;         // "lengths" (a shipped set, or a mix of them), "synthetic", "file"
  std::string title;        // "The Pile"
  std::string description;  // one line
  std::string source;       // where the numbers come from, licence, cautions; "" if synthetic
  double cap = 0;           // share of a pack: longer documents are cut; 0: none is
  virtual std::unique_ptr<LengthStream> stream(uint64_t seed) const = 0;
  // The pack, where the workload gives a whole one (given_packs.h): tokens and policy of the
  // packing options do not apply. Otherwise nullptr.
  virtual const Batch* pack() const { return nullptr; }
};

// `name` is one of `list_workloads`, a length set with settings (length_sets.h), a mix of length
// sets, a distribution with its parameters, the documents of a pack, or the path of a file. The
// documents of a file come in its order, or with ":order=shuffled" after the path in a random order
// that follows from the seed. Throws UserError with the nearest name for an unknown one, and with
// file and line for a bad file.
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
  std::string name;
  std::string description;
  std::vector<Batch> (*pack)(LengthStream& stream, const PackingOptions& options) = nullptr;
};
const std::vector<PackingPolicy>& packing_policies();

std::vector<Batch> make_packs(const Workload& workload, const PackingOptions& options);

}  // namespace cpbench
