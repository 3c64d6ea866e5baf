// Runs a function in a child process, so that a library that aborts, exits or never returns ends
// only this call.
//
//   const ChildAnswer answer = in_child({.name = "the solver"}, [&] { return solve(model); });
#pragma once

#include <functional>
#include <string>

#include "harness/programs/run_program.h"

namespace cpbench {

struct ChildAnswer {
  std::string bytes;       // what the function returned
  double cpu_seconds = 0;  // that the child computed
};

// The child is a copy of the calling thread only, so the function must not wait for other threads
// or use what they may hold: MPI, CUDA, stdio's files, and HDF5 while one of them uses it. It
// inherits no open file; what it prints becomes the last words of messages.
//
// Throws what the function throws, as UserError, Unsupported, bad_alloc or runtime_error.
// Otherwise throws DidNotEnd or UserError: "the solver was ended by signal 6 (Aborted)".
ChildAnswer in_child(const ProgramOptions& options, const std::function<std::string()>& work);

}  // namespace cpbench
