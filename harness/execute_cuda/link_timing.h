// Times single exchanges between the GPUs of this process.
#pragma once

#include <span>
#include <vector>

#include "harness/execute/gpus/gpu.h"
#include "harness/execute_cuda/device_transport.h"

namespace cpbench {

// Sets the seconds of all exchanges, which must have as many ranks as there are `devices`. Each GPU
// takes its own time from the end of a barrier; the slowest rank counts, and the median of several
// samples. Throws ExecutionFailure, also if there is no progress for the timeout.
void time_exchanges_between(const std::vector<int32_t>& devices, DeviceTransport& transport,
                            double timeout_seconds, std::span<TimedExchange> exchanges);

}  // namespace cpbench
