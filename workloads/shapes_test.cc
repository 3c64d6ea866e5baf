#include "workloads/shapes.h"

#include <gtest/gtest.h>

#include "harness/presets/files_for_tests.h"

namespace cpbench {
namespace {

TEST(ShapesTest, EveryShippedShapeIsComplete) {
  auto shapes = list_shapes();
  EXPECT_GE(shapes.size(), 8u);
  for (const NamedShape& shape : shapes) {
    EXPECT_FALSE(shape.description.empty()) << shape.name;
    EXPECT_FALSE(shape.source.empty()) << shape.name;
    EXPECT_EQ(find_shape(shape.name).attention, shape.attention);
  }
}

TEST(ShapesTest, KnownShapes) {
  AttentionShape tiny = find_shape("tiny").attention;
  EXPECT_EQ(tiny.query_heads, 8);  // so that Ulysses supports 8 ranks
  EXPECT_EQ(tiny.kv_heads, 8);
  EXPECT_EQ(tiny.dtype, AttentionShape().dtype);
  AttentionShape llama = find_shape("llama3_70b").attention;
  EXPECT_EQ(llama.query_heads, 64);
  EXPECT_EQ(llama.kv_heads, 8);
  EXPECT_EQ(llama.head_dim, 128);
  EXPECT_EQ(llama.value_head_dim, 128);
  EXPECT_EQ(llama.hidden_size, 8192);
  AttentionShape flashcp = find_shape("flashcp_h32").attention;
  EXPECT_EQ(flashcp.kv_heads, 32);
  EXPECT_EQ(flashcp.hidden_size, 0);
}

constexpr char kGood[] = "query_heads = 6\nkv_heads = 3\nhead_dim = 5\n";

TEST(ShapesTest, AFileOfTheUser) {
  TestFile file("mine.toml", std::string(kGood) + "value_head_dim = 7\n");
  const NamedShape shape = find_shape(file.path());
  EXPECT_EQ(shape.name, "mine");
  EXPECT_EQ(shape.attention.head_dim, 5);
  EXPECT_EQ(shape.attention.value_head_dim, 7);
}

TEST(ShapesTest, LatentsAreOfTheModelAndNotOfItsAttention) {
  const NamedShape shape = find_shape("deepseek_v3");
  EXPECT_EQ(shape.latent_size, 512);
  EXPECT_EQ(shape.latent_rope_size, 64);
  EXPECT_FALSE(shape.attention.latents_travel());
}

std::string refused(const std::string& text) {
  return error_of([&] { parse_shape({"mine", "mine.toml", text}); });
}

TEST(ShapesTest, BadFilesNameLineAndKey) {
  EXPECT_EQ(refused(kGood), "");
  EXPECT_EQ(refused("kv_heads = 3\nhead_dim = 5\n"), "mine.toml: 'query_heads' is missing");
  EXPECT_EQ(refused(std::string(kGood) + "head_dimm = 5\n"),
            "mine.toml:4: unknown key 'head_dimm'; did you mean 'head_dim'?");
  EXPECT_EQ(refused("query_heads = 6\nkv_heads = 0\nhead_dim = 5\n"),
            "mine.toml:2: 'kv_heads' must be a whole number from 1 to 2147483647");
  EXPECT_EQ(refused("query_heads = 6.0\nkv_heads = 3\nhead_dim = 5\n"),
            "mine.toml:1: 'query_heads' must be a whole number from 1 to 2147483647");
  EXPECT_EQ(refused("query_heads = 6\nkv_heads = 4\nhead_dim = 5\n"),
            "mine.toml: kv_heads is 4; must be a divisor of query_heads, 6");
  EXPECT_EQ(refused(std::string(kGood) + "latent_rope_size = 1\n"),
            "mine.toml: latent_rope_size is 1; must be at most 0 without latent_size");
  EXPECT_EQ(refused(std::string(kGood) + "latent_size = 4\nlatent_rope_size = 6\n"),
            "mine.toml: latent_rope_size is 6; must be at most head_dim, 5");
  EXPECT_EQ(refused(std::string(kGood) + "source = 3\n"), "mine.toml:4: 'source' must be a string");
  EXPECT_EQ(refused("query_heads = \n").find("mine.toml:1: "), 0u);
}

TEST(ShapesTest, UnknownNamesAndFiles) {
  EXPECT_EQ(error_of([] { find_shape("tinny"); }), "unknown shape 'tinny'; did you mean 'tiny'?");
  EXPECT_EQ(error_of([] { find_shape("no/such.toml"); }),
            "cannot read the shape file 'no/such.toml': it does not exist");
  EXPECT_EQ(error_of([] { find_shape("/"); }), "cannot read the shape file '/': it is a folder");
}

}  // namespace
}  // namespace cpbench
