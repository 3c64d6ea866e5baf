// Progress of a sweep on stderr: one line that is rewritten on a terminal; elsewhere a line for the
// first run, and then at most one in five seconds.
//
//   [ 3/48] flashcp pile 4 ranks, about 40 s left
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace cpbench {

// "less than a second", "about 40 s", "about 3 min".
std::string about(double seconds);

class Progress {
 public:
  // `work`: what all runs cost, in any unit; the time left follows from the share that is done.
  // `label` stands before each line.
  Progress(size_t total, double work, std::string label = "");

  void start(const std::string& run);  // this run begins; several may run at the same time
  void done(double work);              // a run that had begun has ended
  void say(const std::string& line);   // a separate line, such as an error
  void finish();                       // removes the line from a terminal

 private:
  std::string time_left() const;
  std::string label_;
  size_t total_;
  size_t started_ = 0;
  double work_;
  double work_done_ = 0;
  bool terminal_;
  bool colour_;
  std::chrono::steady_clock::time_point begin_, next_line_;
};

}  // namespace cpbench
