#include "harness/cli/trace.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "harness/cli/json_number.h"
#include "harness/run/outcome.h"

namespace cpbench {

namespace {

using nlohmann::ordered_json;

enum Track : uint8_t { compute, communication };
constexpr const char* kTrackNames[] = {"compute", "communication"};

struct Look {
  const char* name;
  Track track;
};

Look look_of(Activity activity) {
  switch (activity) {
    case Activity::attention:
      return {"attention", compute};
    case Activity::merge:
      return {"merge", compute};
    case Activity::copy:
      return {"copy", compute};
    case Activity::send:
      return {"send", communication};
    case Activity::wait:
      return {"wait", compute};
    case Activity::layer:
      return {"layer", compute};
    case Activity::transfer:
      return {"transfer", communication};
    case Activity::host:
      return {"host", compute};
  }
  return {"unknown", compute};
}

// Times are whole nanoseconds, so that events that touch still touch and sums are exact.
struct Slice {
  int64_t start_ns, end_ns;
  size_t pack;
  const Event* event;
};
using Slices = std::vector<Slice>;

int64_t nanoseconds(double seconds) { return std::llround(seconds * 1e9); }

// Slices by rank and track. A pack starts where the one before it ended.
std::map<std::pair<int32_t, Track>, Slices> slices_of(const Result& result) {
  std::map<std::pair<int32_t, Track>, Slices> tracks;
  int64_t origin = 0;
  for (size_t p = 0; p < result.packs.size(); ++p) {
    int64_t last = 0;
    for (const Event& event : result.packs[p].timeline.events) {
      const int64_t start = nanoseconds(event.start_seconds);
      const int64_t end = std::max(start, nanoseconds(event.end_seconds));
      tracks[{event.rank, look_of(event.activity).track}].push_back(
          {origin + start, origin + end, p, &event});
      last = std::max(last, end);
    }
    origin += last;
  }
  return tracks;
}

// Slices of one lane do not overlap, because viewers draw overlapping ones wrongly.
std::vector<Slices> lanes_of(Slices slices) {
  std::stable_sort(slices.begin(), slices.end(),
                   [](const Slice& a, const Slice& b) { return a.start_ns < b.start_ns; });
  std::vector<Slices> lanes;
  for (const Slice& slice : slices) {
    const auto free = std::find_if(lanes.begin(), lanes.end(), [&](const Slices& lane) {
      return lane.back().end_ns <= slice.start_ns;
    });
    if (free == lanes.end()) {
      lanes.push_back({slice});
    } else {
      free->push_back(slice);
    }
  }
  return lanes;
}

ordered_json name_event(const char* what, int64_t process, int64_t thread,
                        const std::string& name) {
  return {
      {"ph", "M"}, {"name", what}, {"pid", process}, {"tid", thread}, {"args", {{"name", name}}}};
}

ordered_json slice_event(const Slice& slice, int64_t process, int64_t thread) {
  const Event& event = *slice.event;
  const std::string what = look_of(event.activity).name;
  const std::string pass = event.pass == 0 ? "forward" : "backward";
  return {{"ph", "X"},
          {"name", what + " " + pass + " step " + std::to_string(event.step)},
          {"cat", what},
          {"ts", static_cast<double>(slice.start_ns) / 1e3},
          {"dur", static_cast<double>(slice.end_ns - slice.start_ns) / 1e3},
          {"pid", process},
          {"tid", thread},
          {"args", {{"pack", slice.pack}, {"pass", pass}, {"step", event.step}}}};
}

}  // namespace

bool has_timeline(const Result& result) {
  return std::any_of(result.packs.begin(), result.packs.end(),
                     [](const PackResult& pack) { return !pack.timeline.events.empty(); });
}

std::string chrome_trace(const Result& result) {
  const ordered_json about = {{"strategy", result.spec.strategy},
                              {"run_id", run_id(result.spec)},
                              {"backend", result.spec.backend},
                              {"model_error", result.model_error},
                              {"command", command_of(result.spec)}};
  std::string out = "{\"displayTimeUnit\":\"ms\",\"otherData\":" + json_text(about);
  out += ",\"traceEvents\":[\n";
  bool first = true;
  const auto add = [&](const ordered_json& event) {
    out += (first ? "" : ",\n") + event.dump();
    first = false;
  };
  // Viewers treat process 0 and thread 0 specially, and expect unique thread numbers.
  int64_t thread = 0;
  int32_t named = -1;
  for (const auto& [key, slices] : slices_of(result)) {
    const auto& [rank, track] = key;
    const int64_t process = int64_t{rank} + 1;
    if (rank != named) {
      add(name_event("process_name", process, thread + 1,
                     "rank " + std::to_string(rank) + (result.simulated ? " (simulated)" : "")));
      named = rank;
    }
    int lane = 0;
    for (const Slices& row : lanes_of(slices)) {
      ++thread;
      const std::string suffix = ++lane == 1 ? "" : " " + std::to_string(lane);
      add(name_event("thread_name", process, thread, kTrackNames[track] + suffix));
      for (const Slice& slice : row) add(slice_event(slice, process, thread));
    }
  }
  return out + "\n]}\n";
}

}  // namespace cpbench
