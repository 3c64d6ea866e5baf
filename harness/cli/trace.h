// The traced iteration of a result as a Chrome trace (JSON), which ui.perfetto.dev and
// chrome://tracing open. Each rank is a process with a track for its compute and one for its
// communication; times are microseconds since the start of the iteration. Packs follow one another.
//
//   write_atomically("trace.json", chrome_trace(read_result("ring.h5")));
#pragma once

#include <string>

#include "harness/measure/result.h"

namespace cpbench {

bool has_timeline(const Result& result);  // some pack has traced events

// Each event is one line with the name "attention forward step 3", the category "attention" and the
// args pack, pass and step. Events that overlap, like transfers in flight, get further tracks.
std::string chrome_trace(const Result& result);

}  // namespace cpbench
