#include "workloads/shapes.h"

#include "harness/plan/errors.h"
#include "harness/presets/toml_file.h"

namespace cpbench {
namespace {

constexpr NumberRange kCount = {.low = 1};
constexpr NumberRange kSize = {.low = 0};  // 0: only attention

const std::vector<TomlKey<NamedShape>>& shape_keys() {
  using S = NamedShape;
  static const std::vector<TomlKey<S>> keys = {
      {"description", [](S& s) -> std::string& { return s.description; }},
      {"source", [](S& s) -> std::string& { return s.source; }},
      {"query_heads", [](S& s) -> int32_t& { return s.attention.query_heads; }, true, kCount},
      {"kv_heads", [](S& s) -> int32_t& { return s.attention.kv_heads; }, true, kCount},
      {"head_dim", [](S& s) -> int32_t& { return s.attention.head_dim; }, true, kCount},
      {"value_head_dim", [](S& s) -> int32_t& { return s.attention.value_head_dim; }, false,
       kCount},
      {"hidden_size", [](S& s) -> int64_t& { return s.attention.hidden_size; }, false, kSize},
      {"ffn_size", [](S& s) -> int64_t& { return s.attention.ffn_size; }, false, kSize},
      {"attention_sinks", [](S& s) -> bool& { return s.attention.attention_sinks; }},
      {"latent_size", [](S& s) -> int64_t& { return s.latent_size; }, false, kCount},
      {"latent_rope_size", [](S& s) -> int64_t& { return s.latent_rope_size; }, false, kCount},
  };
  return keys;
}

}  // namespace

NamedShape parse_shape(const Preset& preset) {
  const toml::table table = parse_toml(preset.place, preset.text);
  refuse_unknown_keys(table, preset.place, names_of(shape_keys()));
  NamedShape shape;
  shape.name = preset.name;
  read_keys(table, preset.place, shape_keys(), shape);
  AttentionShape& attention = shape.attention;
  if (!table.contains("value_head_dim")) attention.value_head_dim = attention.head_dim;
  if (attention.query_heads % attention.kv_heads != 0) {
    throw UserError(fmt::format("{}: kv_heads is {}; must be a divisor of query_heads, {}",
                                preset.place, attention.kv_heads, attention.query_heads));
  }
  const int64_t most = shape.latent_size > 0 ? attention.head_dim : 0;
  if (shape.latent_rope_size > most) {
    throw UserError(fmt::format(
        "{}: latent_rope_size is {}; must be at most {}", preset.place, shape.latent_rope_size,
        most > 0 ? fmt::format("head_dim, {}", most) : "0 without latent_size"));
  }
  return shape;
}

NamedShape find_shape(const std::string& name) {
  return parse_shape(find_preset(PresetKind::shapes, name));
}

std::vector<NamedShape> list_shapes() { return parsed_presets(PresetKind::shapes, parse_shape); }

}  // namespace cpbench
