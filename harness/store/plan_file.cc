#include "harness/store/plan_file.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "harness/plan/errors.h"
#include "harness/plan/plan_text.h"
#include "harness/store/atomic_file.h"
#include "harness/store/file_kind.h"
#include "harness/store/plan_hdf5.h"
#include "harness/store/safe_read.h"

namespace cpbench {
namespace {

constexpr const char* kProblemWord = "problem ";  // begins the first line of the text form

std::string ending(const std::string& path) {
  const std::string found = std::filesystem::path(path).extension().string();
  if (found != ".json" && found != ".h5" && found != ".txt") {
    throw UserError(path + ": the name of a plan file must end in .json, .h5 or .txt, not in '" +
                    found + "'");
  }
  return found;
}

PlannedProblem from_text(const std::string& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  if (!text.starts_with(kProblemWord)) {
    throw UserError("line 1: must be `problem {...}`, the problem as JSON");
  }
  const size_t start = std::strlen(kProblemWord);
  // The rest keeps its first line break, so that its line numbers are those of the file.
  return {problem_from_json(text.substr(start, end - start)), plan_from_text(text.substr(end))};
}

std::string pack_group(size_t pack) { return "/pack_" + std::to_string(pack); }

std::vector<PlannedProblem> parse_plans(const Hdf5Reader& file) {
  std::vector<PlannedProblem> plans;
  if (read_kind(file) == kPlanKind)
    return {{read_problem(file, "/problem"), read_plan(file, "/plan")}};
  for (size_t i = 0; file.has(pack_group(i)); ++i) {
    const std::string pack = pack_group(i);
    if (!file.has(pack + "/plan")) continue;
    plans.push_back({read_problem(file, pack + "/problem"), read_plan(file, pack + "/plan")});
  }
  if (plans.empty()) {
    file.fail("is a result without a plan (status " + file.attribute("/", "status") + ")");
  }
  return plans;
}

// A result file without anything but the plans.
void write_plans(Hdf5Writer& file, const std::vector<PlannedProblem>& plans) {
  write_kind(file, kResultKind);
  for (size_t i = 0; i < plans.size(); ++i) {
    file.group(pack_group(i));
    write_problem(file, pack_group(i) + "/problem", plans[i].problem);
    write_plan(file, pack_group(i) + "/plan", plans[i].plan);
  }
}

}  // namespace

std::vector<PlannedProblem> load_plan_file(const std::string& path) {
  const std::string form = ending(path);
  if (form == ".h5") {
    return read_safely<std::vector<PlannedProblem>>(path, parse_plans, write_plans);
  }
  const std::string text = read_input("plan file", path, kMostFileBytes);
  try {
    return {form == ".json" ? planned_problem_from_json(text) : from_text(text)};
  } catch (const UserError& error) {
    throw UserError(path + ": " + error.what());
  }
}

void save_plan_file(const std::string& path, const PlannedProblem& planned) {
  const std::string form = ending(path);
  if (form == ".json") {
    write_atomically(path, planned_problem_json(planned));
  } else if (form == ".txt") {
    write_atomically(path,
                     kProblemWord + problem_json(planned.problem) + "\n" + plan_text(planned.plan));
  } else {
    Hdf5Writer file(path);
    write_kind(file, kPlanKind);
    write_problem(file, "/problem", planned.problem);
    write_plan(file, "/plan", planned.plan);
    write_atomically(path, with_checksum(file.image()));
  }
}

}  // namespace cpbench
