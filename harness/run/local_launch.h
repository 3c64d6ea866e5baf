// Starts this program once more for each further GPU of this machine, as torchrun would: each
// process then drives one GPU.
//
//   const LocalLaunch launch(command_line, 8);   // this is process 0 of 8
//   launch_environment()->processes              // 8
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

class LocalLaunch {
 public:
  // Sets the environment variables of torchrun, in this process too. Throws UserError if a process
  // cannot be started.
  LocalLaunch(const std::vector<std::string>& command_line, int32_t processes);
  // Waits for the other processes, and ends those that do not end by themselves. They also end when
  // this one does.
  ~LocalLaunch();
  LocalLaunch(const LocalLaunch&) = delete;
  LocalLaunch& operator=(const LocalLaunch&) = delete;

 private:
  std::vector<pid_t> others_;
};

}  // namespace cpbench
