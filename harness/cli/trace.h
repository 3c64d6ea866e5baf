// The traced iteration of a result as a Chrome trace (JSON), which ui.perfetto.dev and
// chrome://tracing open: one process per rank, its compute and its communication as tracks, times
// in microseconds since the start of the iteration. Packs follow one another.
//
//   write_atomically("trace.json", chrome_trace(read_result("ring.h5")));
#pragma once

#include <string>

#include "harness/measure/result.h"

namespace cpbench {

bool has_timeline(const Result& result);  // some pack has traced events

// One event per line: name "attention forward step 3", category "attention", args pack, pass and
// step. Events of a track that overlap, like transfers in flight, come on further tracks of it.
std::string chrome_trace(const Result& result);

}  // namespace cpbench
