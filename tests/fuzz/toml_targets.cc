// TOML files, the values in them, and CSV files of measured calls.
#include <map>

#include "harness/machines/clusters.h"
#include "harness/machines/kernel_models.h"
#include "harness/machines/measured_calls.h"
#include "harness/machines/profiles.h"
#include "harness/plan/errors.h"
#include "harness/presets/split_text.h"
#include "harness/run/suite.h"
#include "harness/spec/run_fields.h"
#include "tests/fuzz/fuzz_target.h"
#include "workloads/histogram.h"
#include "workloads/shapes.h"

namespace cpbench {
namespace {

// The shipped files, and nesting that overflowed the stack.
template <PresetKind kind>
std::vector<std::string> toml_seeds() {
  constexpr size_t kDeep = 30000;
  const std::string deep = repeated("a.", kDeep) + "a";
  std::vector<std::string> seeds = {
      "",
      deep + " = 1\n",
      "[" + deep + "]\n",
      "[[" + deep + "]]\n",
      "ranks = [" + repeated("1,", kDeep) + "]\n" + repeated("[[sweep]]\n", kDeep),
      "sms = " + repeated("[", kDeep),
      "sms = " + repeated("{a = ", kDeep)};
  for (const Preset& preset : shipped_presets(kind)) seeds.push_back(preset.text);
  return seeds;
}

Preset preset_of(std::string_view bytes) { return {"fuzzed", "fuzzed.toml", std::string(bytes)}; }

std::vector<std::string> call_seeds() {
  return {
      "segments,q_tokens,kv_tokens,mask,q_heads,head_dim,forward_milliseconds,"
      "backward_milliseconds\n1,4096,18432,causal,32,128,3.091,\n# a comment\n"
      "1000+1,128+16384,128+16384,full,32,128,5.2,14.9\n",
      "batch,tokens,q_heads,head_dim,milliseconds\n16,1024,32,128,0.5\n1,16384,32,128,9\n",
      repeated("batch,", 10000),
  };
}

// One `name=value` per line: as stored in result files, and as given behind a flag.
void set_fields(std::string_view bytes) {
  std::map<std::string, std::string> fields;
  RunSpec spec;
  for (const std::string& line : split_text(std::string(bytes), '\n')) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = line.substr(0, equals), value = line.substr(equals + 1);
    fields[name] = value;
    try {
      if (const RunField* field = find_run_field(name)) set_field(*field, spec, value);
    } catch (const UserError&) {  // the next one may be valid
    }
  }
  canonical_text(spec_of(fields));
}

}  // namespace

std::vector<FuzzTarget> toml_targets() {
  return {
      {"suite", toml_seeds<PresetKind::suites>,
       [](std::string_view bytes) { read_suite(file_with(bytes, ".toml")); }},
      {"cluster", toml_seeds<PresetKind::clusters>,
       [](std::string_view bytes) { parse_cluster(preset_of(bytes)); }},
      {"shape", toml_seeds<PresetKind::shapes>,
       [](std::string_view bytes) { parse_shape(preset_of(bytes)); }},
      {"profile", toml_seeds<PresetKind::profiles>,
       [](std::string_view bytes) { parse_profile(preset_of(bytes)); }},
      {"kernel_model", toml_seeds<PresetKind::kernels>,
       [](std::string_view bytes) { parse_kernel(preset_of(bytes)); }},
      {"histogram", toml_seeds<PresetKind::lengths>,
       [](std::string_view bytes) {
         const LengthHistogram set = parse_histogram(preset_of(bytes));
         set.mean();
         for (double u : {0.001, 0.5, 0.999}) set.quantile(u);
       }},
      {"measured_calls", call_seeds,
       [](std::string_view bytes) { read_measured_calls({file_with(bytes, ".csv")}, 1e15); }},
      {"run_spec", [] { return std::vector<std::string>{canonical_text(RunSpec())}; }, set_fields},
  };
}

}  // namespace cpbench
