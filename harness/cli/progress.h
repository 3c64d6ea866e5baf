// Progress of a sweep on stderr: one line that is rewritten on a terminal, plain lines elsewhere.
//
//   [ 3/48] flashcp pile 4 ranks, about 40 s left
#pragma once

#include <chrono>
#include <string>

namespace cpbench {

class Progress {
 public:
  explicit Progress(int total);

  void start(const std::string& cell);  // this cell begins
  void skip();                          // it exists already
  void done(double weight_left);        // it ended; work left, in multiples of the work done
  void say(const std::string& line);    // a line of its own, like an error
  void finish();                        // removes the line from a terminal

 private:
  std::string time_left() const;
  int total_;
  int index_ = 0;
  bool terminal_;
  bool colour_;
  double weight_left_ = -1;  // unknown until the first cell is done
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace cpbench
