#include "harness/machines/kernel_models.h"

#include <algorithm>

#include "harness/plan/errors.h"
#include "harness/presets/toml_file.h"

namespace cpbench {
namespace {

constexpr NumberRange kCount = {.low = 1, .high = 1 << 20};
constexpr NumberRange kMicroseconds = {.low = 0, .high = 1e9};
constexpr NumberRange kShare = {.low = 0, .high = 1};
// In TFLOP/s and GB/s. A larger value is probably in FLOP/s or bytes per second.
constexpr NumberRange kRate = {.low = 0, .high = 1e6};

const std::vector<TomlKey<KernelModel>>& model_keys() {
  using M = KernelModel;
  static const std::vector<TomlKey<M>> keys = {
      {"source", [](M& m) -> std::string& { return m.source; }},
      {"gpu", [](M& m) -> std::string& { return m.gpu.name; }},
      {"sms", [](M& m) -> int32_t& { return m.gpu.sms; }, true, kCount},
      {"peak_teraflops_per_second", [](M& m) -> double& { return m.gpu.peak_flops_per_second; },
       false, kRate, 1e12},
      {"memory_gigabytes_per_second", [](M& m) -> double& { return m.gpu.memory_bytes_per_second; },
       false, kRate, 1e9},
      {"head_dim", [](M& m) -> int32_t& { return m.head_dim; }, true, kCount},
      {"extrapolated", [](M& m) -> bool& { return m.extrapolated; }},
  };
  return keys;
}

// The fields have the unit of the keys: microseconds.
const std::vector<TomlKey<KernelConstants>>& constant_keys() {
  using C = KernelConstants;
  static const std::vector<TomlKey<C>> keys = {
      {"call_microseconds", [](C& c) -> double& { return c.call_us; }, false, kMicroseconds},
      {"segment_microseconds", [](C& c) -> double& { return c.segment_us; }, false, kMicroseconds},
      {"longest_microseconds", [](C& c) -> double& { return c.longest_us; }, false, kMicroseconds},
      {"tile_microseconds", [](C& c) -> double& { return c.tile_us; }, false, kMicroseconds},
      {"rows_microseconds", [](C& c) -> double& { return c.rows_us; }, false, kMicroseconds},
      {"block_microseconds", [](C& c) -> double& { return c.block_us; }, true, kMicroseconds},
      {"cells_microseconds", [](C& c) -> double& { return c.pairs_us; }, false, kMicroseconds},
      {"kv_block_microseconds", [](C& c) -> double& { return c.kv_block_us; }, false,
       kMicroseconds},
      {"grouped_kv_block_microseconds", [](C& c) -> double& { return c.grouped_kv_block_us; },
       false, kMicroseconds},
      {"grouped_cached_tokens", [](C& c) -> int32_t& { return c.grouped_cached_tokens; }},
      {"empty_block_microseconds", [](C& c) -> double& { return c.empty_block_us; }, false,
       kMicroseconds},
      {"sustained_slowdown", [](C& c) -> double& { return c.sustained_slowdown; }, false, kShare},
      {"tile_tokens", [](C& c) -> int32_t& { return c.tile_tokens; }, true, kCount},
      {"block_tokens", [](C& c) -> int32_t& { return c.block_tokens; }, true, kCount},
      {"padded", [](C& c) -> bool& { return c.padded; }},
      {"mean_error", [](C& c) -> double& { return c.mean_error; }},
      {"worst_error", [](C& c) -> double& { return c.worst_error; }},
  };
  return keys;
}

struct Pass {
  const char* name;
  KernelConstants KernelModel::*constants;
};
constexpr Pass kPasses[] = {{"forward", &KernelModel::forward},
                            {"backward", &KernelModel::backward}};

KernelConstants read_constants(const toml::table& table, const std::string& place) {
  refuse_unknown_keys(table, place, names_of(constant_keys()));
  KernelConstants c;
  read_keys(table, place, constant_keys(), c);
  if (c.tile_tokens % c.block_tokens != 0 && c.block_tokens % c.tile_tokens != 0) {
    throw UserError(
        fmt::format("{}: 'block_tokens' is {}; must be a multiple or divisor of 'tile_tokens' = {}",
                    place, c.block_tokens, c.tile_tokens));
  }
  return c;
}

}  // namespace

KernelModel parse_kernel(const Preset& preset) {
  const std::string& place = preset.place;
  const toml::table table = parse_toml(place, preset.text);
  std::vector<std::string> known = names_of(model_keys());
  for (const Pass& pass : kPasses) known.push_back(pass.name);
  refuse_unknown_keys(table, place, known);
  KernelModel model;
  model.name = preset.name;
  read_keys(table, place, model_keys(), model);
  for (const Pass& pass : kPasses) {
    const toml::table* constants = table[pass.name].as_table();
    if (!constants) throw UserError(fmt::format("{}: the table [{}] is missing", place, pass.name));
    model.*pass.constants = read_constants(*constants, fmt::format("{} [{}]", place, pass.name));
  }
  return model;
}

std::string kernel_toml(const KernelModel& model) {
  std::string text = toml_text(model_keys(), model, KernelModel());
  for (const Pass& pass : kPasses) {
    text += fmt::format("\n[{}]\n", pass.name) +
            toml_text(constant_keys(), model.*pass.constants, KernelConstants());
  }
  return text;
}

const std::vector<KernelModel>& kernel_models() {
  static const std::vector<KernelModel> models = parsed_presets(PresetKind::kernels, parse_kernel);
  return models;
}

KernelModel find_kernel(const std::string& name) {
  const auto shipped = std::ranges::find(kernel_models(), name, &KernelModel::name);
  if (shipped != kernel_models().end()) return *shipped;
  return parse_kernel(find_preset(PresetKind::kernels, name));
}

}  // namespace cpbench
