#include "harness/machines/kernel_models.h"

#include "harness/presets/files_for_tests.h"

namespace cpbench {
namespace {

constexpr char kGood[] =
    "gpu = \"H800\"\nsms = 132\nhead_dim = 128\n"
    "[forward]\nblock_microseconds = 1.5\ntile_tokens = 128\nblock_tokens = 64\n"
    "[backward]\nblock_microseconds = 4\ntile_tokens = 64\nblock_tokens = 128\n";

std::string refused(const std::string& text) {
  return error_of([&] { parse_kernel({"mine", "mine.toml", text}); });
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(KernelsTest, AFileOfTheUser) {
  const TestFile file("mine.toml", kGood);
  const KernelModel model = find_kernel(file.path());
  EXPECT_EQ(model.name, "mine");
  EXPECT_EQ(model.gpu.name, "H800");
  EXPECT_EQ(model.forward.block_us, 1.5);
  EXPECT_EQ(model.forward.block_tokens, 64);
  EXPECT_EQ(model.backward.tile_tokens, 64);
  EXPECT_EQ(model.backward.mean_error, -1);  // the file does not say
}

TEST(KernelsTest, WhatIsWrittenIsRead) {
  for (const KernelModel& model : kernel_models()) {
    const std::string text = kernel_toml(model);
    const KernelModel read = parse_kernel({model.name, model.name, text});
    EXPECT_EQ(kernel_toml(read), text);
    EXPECT_EQ(read.source, model.source);
    EXPECT_EQ(read.gpu.sms, model.gpu.sms);
    EXPECT_DOUBLE_EQ(read.gpu.peak_flops_per_second, model.gpu.peak_flops_per_second);
    EXPECT_DOUBLE_EQ(read.backward.kv_block_us, model.backward.kv_block_us);
    EXPECT_EQ(find_kernel(model.name).source, model.source);
  }
}

TEST(KernelsTest, BadFilesNameLineAndKey) {
  EXPECT_EQ(refused(kGood), "");
  EXPECT_EQ(refused(replaced(kGood, "sms = 132\n", "")), "mine.toml: 'sms' is missing");
  EXPECT_EQ(refused("sms = 1\nhead_dim = 64\n"), "mine.toml: the table [forward] is missing");
  EXPECT_EQ(refused(replaced(kGood, "block_microseconds = 1.5\n", "")),
            "mine.toml [forward]: 'block_microseconds' is missing");
  EXPECT_EQ(refused(replaced(kGood, "block_tokens = 64", "block_tokens = 96")),
            "mine.toml [forward]: 'block_tokens' is 96; must be a multiple or divisor of "
            "'tile_tokens' = 128");
  EXPECT_NE(refused(replaced(kGood, "= 1.5", "= -1.5")).find("block_microseconds"),
            std::string::npos);
  EXPECT_NE(refused(replaced(kGood, "block_microseconds = 4", "block_us = 4"))
                .find("unknown key 'block_us'"),
            std::string::npos);
}

TEST(KernelsTest, UnknownNamesAndFiles) {
  EXPECT_EQ(error_of([] { find_kernel("fa2_h10"); }),
            "unknown kernel model 'fa2_h10'; did you mean 'fa2_h100'?");
  EXPECT_EQ(error_of([] { find_kernel("missing.toml"); }),
            "cannot read the kernel model file 'missing.toml': it does not exist");
}

}  // namespace
}  // namespace cpbench
