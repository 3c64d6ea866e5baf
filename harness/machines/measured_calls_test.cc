#include "harness/machines/measured_calls.h"

#include "harness/presets/files_for_tests.h"

namespace cpbench {
namespace {

constexpr char kHeader[] = "segments,q_tokens,kv_tokens,mask,q_heads,head_dim,milliseconds\n";

MeasuredCalls read(const std::string& text, double peak = 0) {
  const TestFile file("calls.csv", text);
  return read_measured_calls({file.path()}, peak);
}

// The message, from the name of the file.
std::string refused(const std::string& text, double peak = 0) {
  const std::string message = error_of([&] { read(text, peak); });
  const size_t name = message.find("calls.csv");
  return name == std::string::npos ? message : message.substr(name);
}

TEST(MeasuredCallsTest, ReadsWhatItWrites) {
  MeasuredCalls calls;
  calls.head_dim = 64;
  calls.forward = {{{{100, 300, true, 5}, {1000, 1000, true}}, 8, 1.5e-3},
                   {{{7, 9, false, 2}}, 4, 25e-6}};
  calls.backward = calls.forward;
  calls.backward[0].seconds = 4e-3;
  calls.backward[1].seconds = 75e-6;
  const std::string text = measured_calls_csv(calls);
  const MeasuredCalls again = read(text);
  ASSERT_EQ(again.forward.size(), 2u);
  EXPECT_EQ(again.forward[0].segments[0].count, 5);
  EXPECT_EQ(again.forward[0].segments[1].kv_tokens, 1000);
  EXPECT_FALSE(again.forward[1].segments[0].causal);
  EXPECT_DOUBLE_EQ(again.backward[0].seconds, 4e-3);
  EXPECT_EQ(measured_calls_csv(again), text);
}

TEST(MeasuredCallsTest, ReadsBothShapesOfFiles) {
  const MeasuredCalls calls =
      read(std::string("# source: somewhere\n") + kHeader +
           "1,4096,18432,causal,32,128,3.5\n\n1000+1,128+16384,128+20000,full,8,128,5.2\n");
  EXPECT_EQ(calls.head_dim, 128);
  EXPECT_TRUE(calls.backward.empty());
  ASSERT_EQ(calls.forward.size(), 2u);
  EXPECT_EQ(calls.forward[0].query_heads, 32);
  EXPECT_DOUBLE_EQ(calls.forward[0].seconds, 3.5e-3);
  EXPECT_TRUE(calls.forward[0].segments[0].causal);
  ASSERT_EQ(calls.forward[1].segments.size(), 2u);
  EXPECT_EQ(calls.forward[1].segments[0].count, 1000);
  EXPECT_EQ(calls.forward[1].segments[1].q_tokens, 16384);
  EXPECT_EQ(calls.forward[1].segments[1].kv_tokens, 20000);
  EXPECT_FALSE(calls.forward[1].segments[1].causal);

  const MeasuredCalls square = read(
      "batch,tokens,q_heads,kv_heads,head_dim,forward_milliseconds,backward_milliseconds\n"
      "4,512,16,2,64,1,2.5\n4,1024,16,2,64,,6\n");
  EXPECT_EQ(square.forward.size(), 1u);
  ASSERT_EQ(square.backward.size(), 2u);
  EXPECT_EQ(square.backward[1].segments[0].count, 4);
  EXPECT_EQ(square.backward[1].segments[0].kv_tokens, 1024);
  EXPECT_TRUE(square.backward[1].segments[0].causal);
}

TEST(MeasuredCallsTest, BadFilesNameLineAndColumn) {
  const std::string header = kHeader;
  EXPECT_EQ(refused(""), "calls.csv: the file is empty; it must have a header");
  EXPECT_EQ(refused(header), "calls.csv: the file has no measured calls");
  EXPECT_EQ(refused("segments,q_tokens,q_heads,head_dim,milliseconds\n"),
            "calls.csv: column 'kv_tokens' is missing");
  EXPECT_EQ(refused("batch,tokens,q_heads,head_dim\n"),
            "calls.csv: column 'forward_milliseconds' is missing");
  EXPECT_EQ(refused("batch,tokens,q_heads,head_dimm,milliseconds\n"),
            "calls.csv:1: unknown column 'head_dimm'; did you mean 'head_dim'?");
  EXPECT_EQ(refused("batch,tokens,q_heads,head_dim,microseconds\n"),
            "calls.csv:1: unknown column 'microseconds'; times must be 'forward_milliseconds' or "
            "'backward_milliseconds'");
  EXPECT_EQ(refused("batch,tokens,batch\n"), "calls.csv:1: column 'batch' appears twice");
  EXPECT_EQ(refused(header + "1,2,3\n"), "calls.csv:2: there are 3 fields, but the header has 7");
  EXPECT_EQ(refused(header + "1,0,4,full,8,128,1\n"),
            "calls.csv:2: q_tokens is '0'; must be whole numbers from 1 to 2^31, joined by +");
  EXPECT_EQ(refused(header + "1,4,4,band,8,128,1\n"),
            "calls.csv:2: mask is 'band'; must be causal or full");
  EXPECT_EQ(refused(header + "1,4,4,full,8,128,nan\n"),
            "calls.csv:2: milliseconds is 'nan'; must be a time in milliseconds, more than 0");
  EXPECT_EQ(
      refused(header + "1,4+5,4,full,8,128,1\n"),
      "calls.csv:2: q_tokens is '4+5'; must have as many kinds of segments as the column before, "
      "1");
  EXPECT_EQ(
      refused(header + "1,4,4,full,8,128,1\n1,4,4,full,8,64,1\n"),
      "calls.csv:3: head_dim is '64'; must be 128 as in the rows before: a model has one head "
      "size");
}

// One causal segment of 32768, 64 heads of 128: 17.6 TFLOP.
TEST(MeasuredCallsTest, TimesInAnotherUnitAreRefused) {
  const std::string row = std::string(kHeader) + "1,32768,32768,causal,64,128,";
  EXPECT_EQ(refused(row + "25.566\n", 989.5e12), "");
  EXPECT_EQ(
      refused(row + "0.025566\n", 989.5e12),
      "calls.csv:2: milliseconds is '0.025566'; must be in milliseconds: this would be 688130 "
      "TFLOP/s, and the peak is 990");
  EXPECT_EQ(refused(row + "25566\n", 989.5e12),
            "calls.csv: the fastest call reaches only 0.0007 of the peak; times must be in "
            "milliseconds");
}

}  // namespace
}  // namespace cpbench
