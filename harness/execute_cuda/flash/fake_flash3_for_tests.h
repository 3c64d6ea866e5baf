// What the fake FlashAttention-3 (fake_flash3_for_tests.cc) saw.
#pragma once

#include <atomic>
#include <cstdint>

namespace cpbench {

extern std::atomic<int64_t> last_flash3_sm_margin;  // of the last call of an operator

}  // namespace cpbench
