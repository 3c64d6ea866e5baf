#include "harness/execute_cuda/link_timing.h"

#include <atomic>

#include "harness/execute_cuda/gpu_test.h"

namespace cpbench {
namespace {

using LinkTimingTest = GpuTest;

// Moves nothing, and notes what happens before the ranks are connected.
class Idle : public DeviceTransport {
 public:
  void connect(std::span<const RankLinks> links) override {
    links_.assign(links.begin(), links.end());
    connected_ = true;
  }
  void exchange(int32_t, std::span<const DeviceMessage>, std::span<const DeviceMessage>,
                cudaStream_t) override {
    use();
  }
  void collective(int32_t, const DeviceCollective&, cudaStream_t) override { use(); }
  void barrier(int32_t, cudaStream_t) override { use(); }
  bool supports_graphs() const override { return true; }
  void check(int32_t) override {}
  void close() override {}

  bool used_early() const { return used_early_; }
  const std::vector<RankLinks>& links() const { return links_; }

 private:
  void use() {
    if (!connected_) used_early_ = true;
  }
  std::atomic<bool> connected_ = false, used_early_ = false;
  std::vector<RankLinks> links_;
};

// Of ranks that share a GPU, which this transport allows.
TEST_F(LinkTimingTest, everything_is_connected_before_the_first_exchange) {
  Idle transport;
  std::vector<TimedExchange> exchanges = {
      {LinkUse::shift, 3, 512}, {LinkUse::all_gather, 3, 512}, {LinkUse::reduce_scatter, 3, 1024}};
  time_exchanges_between({0, 0, 0}, transport, 60, exchanges);
  EXPECT_FALSE(transport.used_early());
  ASSERT_EQ(transport.links().size(), 3u);
  const RankLinks& links = transport.links()[1];
  EXPECT_EQ(links.sends_to, std::set<int32_t>{2});
  EXPECT_EQ(links.receives_from, std::set<int32_t>{0});
  ASSERT_EQ(links.collectives.size(), 2u);
  EXPECT_EQ(links.collectives[1].kind, CollectiveKind::reduce_scatter);
  EXPECT_EQ(links.collectives[1].bytes, 1024);
  for (const TimedExchange& exchange : exchanges) EXPECT_GT(exchange.seconds, 0);
}

}  // namespace
}  // namespace cpbench
