// What other programs read: Chakra traces for simulators, byte matrices for network tools.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "harness/chakra/chakra.h"
#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/table.h"
#include "harness/plan/errors.h"
#include "harness/plan/text_hash.h"
#include "harness/run/resolve.h"
#include "harness/run/simulation.h"
#include "harness/store/atomic_file.h"
#include "harness/store/result_file.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

struct Flags {
  std::string form, path, output, pack = "0";
};

const PackResult& pack_of(const Result& result, const Flags& flags) {
  if (result.packs.empty() || result.packs.front().plan.ranks == 0) {
    throw UserError(fmt::format("{}: the run has no plan; it is {}: {}", flags.path,
                                name_of(result.status), result.error));
  }
  for (size_t i = 0; i < result.packs.size(); ++i) {
    if (flags.pack == std::to_string(i)) return result.packs[i];
  }
  throw UserError(fmt::format("--pack: '{}' is not a pack of {}; must be from 0 to {}", flags.pack,
                              flags.path, result.packs.size() - 1));
}

// One trace per rank, <output>/<name of the result>.<rank>.et, as ASTRA-sim expects them.
int export_chakra(const Result& result, const Flags& flags) {
  if (result.spec.backend != "simulate") {
    throw UserError(flags.path +
                    ": durations are those of a simulation, and this run is none; repeat it with "
                    "--backend simulate --cluster h100");
  }
  const PackResult& pack = pack_of(result, flags);
  const Job job = Resolver().resolve(
      result.spec, true, [&](const std::string& field) { return flags.path + ": " + field; });
  if (hex16(hash_of_text(model_text(job))) != result.model) {
    throw UserError(flags.path +
                    ": its cluster, kernel model or profile has changed since; repeat the run");
  }
  const Schedule schedule = schedule_of(job, job.problem(pack.batch), pack.plan);
  const fs::path folder = flags.output;
  const std::string name = fs::path(flags.path).stem().string();
  write_chakra_traces(schedule, [&](int32_t rank, const std::string& trace) {
    std::error_code error;
    fs::create_directories(folder, error);
    write_atomically((folder / fmt::format("{}.{}.et", name, rank)).string(), trace);
  });
  fmt::print(stderr, "cpbench: {} traces, {}\n", schedule.size(),
             (folder / (name + ".RANK.et")).string());
  return kExitOk;
}

// Rows "from,to,bytes,messages" of the pairs of ranks that exchange something.
int export_matrix(const Result& result, const Flags& flags) {
  const PackResult& pack = pack_of(result, flags);
  const Timeline& timeline = pack.timeline;
  if (timeline.bytes_sent.empty()) {
    throw UserError(flags.path +
                    ": nothing was sent, because only the plan was made; repeat it with --backend "
                    "simulate --cluster h100");
  }
  Table table{{{"from"}, {"to"}, {"bytes"}, {"messages"}}, {}};
  for (int32_t from = 0; from < timeline.ranks; ++from) {
    for (int32_t to = 0; to < timeline.ranks; ++to) {
      const size_t at = static_cast<size_t>(from) * timeline.ranks + to;
      if (timeline.bytes_sent[at] == 0) continue;
      table.rows.push_back({std::to_string(from), std::to_string(to),
                            std::to_string(timeline.bytes_sent[at]),
                            std::to_string(timeline.messages[at])});
    }
  }
  write_atomically(flags.output, render(table, Format::csv));
  fmt::print(stderr, "cpbench: {} pairs of ranks: {}\n", table.rows.size(), flags.output);
  return kExitOk;
}

int export_result(const Flags& flags) {
  const Result result = read_result(flags.path);
  if (flags.form == "chakra") return export_chakra(result, flags);
  if (flags.form == "matrix") return export_matrix(result, flags);
  throw UserError("'" + flags.form + "' is not a form of export; must be chakra or matrix");
}

}  // namespace

void add_export_command(CLI::App& app, Context& context) {
  Command command(
      app, "export",
      "Writes a result for other programs: Chakra traces for simulators, bytes between ranks.\n"
      "Examples:\n"
      "  cpbench export chakra results/runs/quick_h100/NAME.h5 --output traces\n"
      "  cpbench export matrix results/runs/quick/NAME.h5 --output bytes.csv\n"
      "chakra: a Chakra execution trace (MLCommons) per rank, for ASTRA-sim and others: every "
      "kernel call, copy, send and receive with what it waits for, and the simulated durations. "
      "matrix: how many bytes each rank sends to each other one, as CSV.\n");
  auto flags = std::make_shared<Flags>();
  command.argument("form", flags->form, "chakra or matrix", "FORM");
  command.argument("path", flags->path, "a result file", "FILE");
  command.required_option("--output", flags->output, "folder of the traces, or CSV file", "PATH");
  command.option("--pack", flags->pack, "which pack of the run [0]", "N");
  command.action([flags, &context] { context.exit_code = export_result(*flags); });
}

}  // namespace cpbench
