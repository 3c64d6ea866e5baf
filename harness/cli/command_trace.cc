#include <fmt/format.h>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/trace.h"
#include "harness/plan/errors.h"
#include "harness/store/atomic_file.h"
#include "harness/store/result_file.h"

namespace cpbench {

namespace {

std::string why_none(const Result& result) {
  if (result.status != Status::ok) {
    return fmt::format("the run is {}: {}", name_of(result.status), result.error);
  }
  return "backend " + result.spec.backend + " makes none; run it with --backend threads";
}

int trace(const std::string& path, const std::string& output) {
  const Result result = read_result(path);
  if (!has_timeline(result)) throw UserError(path + ": no timeline: " + why_none(result));
  const std::string json = chrome_trace(result);
  if (output.empty()) {
    print(json);
  } else {
    write_atomically(output, json);
    fmt::print(stderr, "cpbench: wrote {}; open it in ui.perfetto.dev or chrome://tracing\n",
               output);
  }
  return kExitOk;
}

}  // namespace

void add_trace_command(CLI::App& app, Context& context) {
  Command command(app, "trace",
                  "Writes a result's timeline as a trace for ui.perfetto.dev or chrome://tracing.\n"
                  "Examples:\n"
                  "  cpbench trace results/runs/quick/NAME.h5 --output trace.json\n"
                  "  cpbench trace results/runs/quick/NAME.h5 > trace.json\n");
  struct Flags {
    std::string path, output;
  };
  auto flags = std::make_shared<Flags>();
  command.argument("path", flags->path, "a result file", "FILE");
  command.option("--output", flags->output, "file to write the trace to [standard output]",
                 "FILE.json");
  command.action([flags, &context] { context.exit_code = trace(flags->path, flags->output); });
}

}  // namespace cpbench
