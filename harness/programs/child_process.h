// A process that cpbench starts and waits for: its standard input, output and error are pipes, and
// it leads a process group of its own. Private to harness/programs.
//
//   ChildProcess child(options, [&](const ChildStart& start) { return /* the id */; });
//   const int status = child.run(input);
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <string>

#include "harness/programs/run_program.h"

namespace cpbench {

class Descriptor {
 public:
  Descriptor() = default;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int get() const { return id_; }
  bool open() const { return id_ >= 0; }
  void set(int id) { id_ = id; }
  void close();

 private:
  int id_ = -1;
};

struct Pipe {
  Descriptor read, write;
  Pipe();
};

// While it lives, a process that ends before it has read all of its input does not end cpbench by
// SIGPIPE.
class SigpipeBlocked {
 public:
  SigpipeBlocked();
  ~SigpipeBlocked();
  const sigset_t& before() const { return before_; }

 private:
  sigset_t set_, before_;
};

struct ChildStart {
  int in, out, error;    // the child's ends of the pipes
  const sigset_t& mask;  // the signals that it blocks
};

class ChildProcess {
 public:
  // `start` starts the process as the leader of a group and returns its id; -1 for a failure, with
  // the reason in errno.
  ChildProcess(const ProgramOptions& options, const std::function<pid_t(const ChildStart&)>& start);
  ~ChildProcess();  // kills the group

  // Writes `input`, collects what the process writes until it ends, kills what is left of its
  // group, and returns its exit status. Throws as `run_program` does.
  int run(const std::string& input);

  std::string take_output() { return std::move(output_); }
  std::string last_words() const;
  double cpu_seconds() const { return cpu_seconds_; }  // of the process that ended
  [[noreturn]] void fail(const std::string& what) const;

 private:
  bool has_ended() const;
  void wait(const std::string& input);
  void feed(const std::string& input);
  bool take(Descriptor& from, std::string& into);
  int end();
  void require_time() const;

  const ProgramOptions& options_;
  const SigpipeBlocked sigpipe_;
  Pipe in_, out_, error_;
  pid_t id_ = -1;
  size_t fed_ = 0;
  std::string output_, errors_;
  double cpu_seconds_ = 0;
};

}  // namespace cpbench
