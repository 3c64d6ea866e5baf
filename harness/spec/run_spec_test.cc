#include "harness/spec/run_spec.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "harness/plan/error_of_for_tests.h"
#include "harness/plan/problem_fields.h"
#include "harness/spec/run_fields.h"

namespace cpbench {
namespace {

template <typename Value>
void change(Value& value) {
  if constexpr (std::is_same_v<Value, std::string>) {
    value += "a=b, c\\d\ne";  // what separators and escapes could trip over
  } else if constexpr (std::is_same_v<Value, bool>) {
    value = !value;
  } else if constexpr (std::is_enum_v<Value>) {
    value = static_cast<Value>((static_cast<int>(value) + 1) % 2);
  } else if constexpr (std::is_same_v<Value, double>) {
    value = 1.0 / 3;
  } else {
    value += 1;
  }
}

// One change for each field of a RunSpec, by its name.
std::map<std::string, std::function<void(RunSpec&)>> changes() {
  std::map<std::string, std::function<void(RunSpec&)>> all;
  for (const RunField& field : run_fields()) {
    all[field.name] = [&field](RunSpec& spec) {
      std::visit([&](auto member) { change(member(spec)); }, field.member);
    };
  }
  AttentionShape shape;
  visit_fields(shape, [&](const std::string& name, auto&) {
    all[name] = [name](RunSpec& spec) {
      visit_fields(spec.shape, [&](const std::string& each, auto& value) {
        if (each == name) change(value);
      });
    };
  });
  all["options"] = [](RunSpec& spec) {
    spec.options = {{"ratio", "1.05"}, {"a,b", "c=d\\\n"}, {"empty", ""}};
  };
  all["inputs"] = [](RunSpec& spec) { spec.inputs = "0123456789abcdef"; };
  return all;
}

TEST(RunSpec, every_field_comes_back_from_its_stored_form) {
  RunSpec all;
  for (const auto& [name, apply] : changes()) {
    RunSpec spec;
    apply(spec);
    EXPECT_NE(spec, RunSpec()) << name;
    EXPECT_EQ(spec_of(stored_fields(spec)), spec) << name;
    apply(all);
  }
  EXPECT_EQ(spec_of(stored_fields(all)), all);
}

TEST(RunSpec, every_field_changes_the_run_id) {
  std::set<std::string> ids = {run_id(RunSpec())};
  for (const auto& [name, apply] : changes()) {
    RunSpec spec;
    apply(spec);
    EXPECT_TRUE(ids.insert(run_id(spec)).second) << name;
  }
}

TEST(RunSpec, the_run_id_is_the_same_everywhere) {
  EXPECT_EQ(run_id(RunSpec()), "a853c5e6a3c39073");
}

TEST(RunSpec, files_and_ids_of_before_a_field_existed_are_those_of_its_default) {
  RunSpec spec;
  const auto before = stored_fields(spec);
  for (const char* name : {"min_ctas", "max_ctas", "cta_policy", "sm_margin", "plan_for",
                           "attention_sinks", "latent_size", "latent_rope_size"}) {
    EXPECT_FALSE(before.contains(name)) << name;
  }
  spec.max_ctas = 8;
  EXPECT_EQ(stored_fields(spec).size(), before.size() + 1);
  EXPECT_EQ(stored_fields(spec).at("max_ctas"), "8");
}

TEST(RunSpec, keys_leave_out_what_they_are_to_compare) {
  RunSpec spec;
  spec.strategy = "ring";
  RunSpec other = spec;
  other.backend = "threads";
  other.iterations = 5;
  other.inputs = "0123456789abcdef";
  EXPECT_EQ(computation_key(other), computation_key(spec));
  EXPECT_NE(problem_key(other), problem_key(spec));
  other = spec;
  other.strategy = "zigzag";
  other.options = {{"kv", "latent"}};
  other.shape.latent_size = 512;
  other.shape.latent_rope_size = 64;
  EXPECT_EQ(problem_key(other), problem_key(spec));
  EXPECT_NE(computation_key(other), computation_key(spec));
}

TEST(RunSpec, bad_stored_fields_are_refused) {
  const auto refused = [](const std::string& name, const std::string& value) {
    auto fields = stored_fields(RunSpec());
    fields[name] = value;
    return error_of([&] { spec_of(fields); });
  };
  EXPECT_EQ(refused("ranks", "4"), "");
  EXPECT_EQ(refused("ranks", "four"), "ranks is 'four', which is not a valid value");
  EXPECT_EQ(refused("ranks", "4294967296"), "ranks is '4294967296', which is not a valid value");
  EXPECT_EQ(refused("mask", "casual"), "mask is 'casual', which is not a valid value");
  EXPECT_EQ(refused("graph", "yes"), "graph is 'yes', which is not a valid value");
  EXPECT_EQ(refused("options", "a"), "options is 'a'; must be name=value,...");
  for (const char* name : {"options", "ranks", "query_heads"}) {
    auto fields = stored_fields(RunSpec());
    fields.erase(name);
    EXPECT_EQ(error_of([&] { spec_of(fields); }), std::string(name) + " is missing");
  }
}

// The text of a field after it was set to `value`, or the refusal.
std::string set_to(
    const std::string& name, const std::string& value,
    const std::function<void(RunSpec&)>& prepare = [](RunSpec&) {}) {
  RunSpec spec;
  prepare(spec);
  const RunField& field = *find_run_field(name);
  const std::string refused = error_of([&] { set_field(field, spec, value); });
  return refused == "" ? field_text(field, spec) : refused;
}

TEST(RunFields, values_are_written_as_users_write_them) {
  EXPECT_EQ(set_to("tokens", "8192"), "8K");
  EXPECT_EQ(set_to("tokens", "100"), "100");
  EXPECT_EQ(set_to("mask", "sliding_window"), "sliding_window");
  EXPECT_EQ(set_to("dtype", "bfloat16"), "bfloat16");
  EXPECT_EQ(set_to("direction", "forward"), "forward");
  EXPECT_EQ(set_to("cached", "0.25"), "0.25");
  EXPECT_EQ(set_to("seed", "9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(set_to("workload", "pile"), "pile");
}

TEST(RunFields, a_value_without_meaning_has_no_text) {
  EXPECT_EQ(set_to("cached", "0"), "");
  EXPECT_EQ(set_to("graph", "on"), "");
  EXPECT_EQ(set_to("max_ctas", "auto"), "");
  EXPECT_EQ(set_to("max_ctas", "8"), "8");
  EXPECT_EQ(set_to("sm_margin", "0"), "");
  EXPECT_EQ(set_to("graph", "on", [](RunSpec& spec) { spec.backend = "nccl"; }), "on");
  EXPECT_EQ(set_to("warmup", "2"), "");
  EXPECT_EQ(set_to("warmup", "2", [](RunSpec& spec) { spec.iterations = 1; }), "2");
}

TEST(RunFields, auto_stands_for_a_count_only_where_it_is_the_default) {
  RunSpec spec;
  set_field(*find_run_field("nodes"), spec, "auto");
  EXPECT_EQ(spec.nodes, 0);
  EXPECT_EQ(set_to("ranks", "auto"),
            "'auto' is not a valid count; write digits with an optional K or M, at least 1");
}

TEST(RunFields, bad_values_are_refused) {
  EXPECT_EQ(set_to("ranks", "8Q"),
            "'8Q' is not a valid count; write digits with an optional K or M, at least 1");
  EXPECT_EQ(set_to("ranks", "0"), "0 is out of range; must be from 1 to 65536");
  EXPECT_EQ(set_to("max_ctas", "0"), "0 is out of range; must be from 1 to 64");
  EXPECT_EQ(
      set_to("cached", "-0.5"),
      "'-0.5' is not a valid share; must be a number from 0 to below 1, like 0.9, or a count of "
      "tokens, like 512");
  EXPECT_EQ(set_to("mask", "casual"), "unknown mask 'casual'; did you mean 'causal'?");
  EXPECT_EQ(set_to("graph", "yes"), "unknown graph 'yes'; known: off, on");
  EXPECT_EQ(find_run_field("rank"), nullptr);
}

TEST(RunFields, defaults_are_valid) {
  for (const RunField& field : run_fields()) {
    if (*field.default_value == '\0') continue;
    EXPECT_EQ(error_of([&] {
                RunSpec spec;
                set_field(field, spec, field.default_value);
              }),
              "")
        << field.name;
  }
}

}  // namespace
}  // namespace cpbench
