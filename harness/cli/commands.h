// The commands. Each adds its subcommand with help and flags; its action runs while the command
// line is parsed, throws UserError for bad input, and leaves its exit code in the context.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/cli/command.h"
#include "harness/cli/table.h"
#include "harness/run/exit_codes.h"
#include "harness/run/suite.h"

namespace cpbench {

struct Context {
  std::vector<std::string> command_line;  // program and arguments, as given
  int exit_code = 0;
};

void add_run_command(CLI::App& app, Context& context);
void add_recommend_command(CLI::App& app, Context& context);
void add_plan_command(CLI::App& app, Context& context);
void add_check_command(CLI::App& app, Context& context);
void add_show_command(CLI::App& app, Context& context);
void add_compare_command(CLI::App& app, Context& context);
void add_trace_command(CLI::App& app, Context& context);
void add_history_command(CLI::App& app, Context& context);
void add_export_command(CLI::App& app, Context& context);
void add_report_command(CLI::App& app, Context& context);
void add_reproduce_command(CLI::App& app, Context& context);
void add_list_command(CLI::App& app, Context& context);
void add_workload_command(CLI::App& app, Context& context);
void add_calibrate_command(CLI::App& app, Context& context);
void add_doctor_command(CLI::App& app, Context& context);
void add_completion_command(CLI::App& app, Context& context);

// One flag for each row of `run_fields()`, and --set. Parsing fills in the values.
class RunFlags {
 public:
  explicit RunFlags(Command& command);
  Product product() const;

 private:
  std::map<std::string, std::vector<std::string>> given_;
  std::vector<std::string> settings_;
};

// "--format table|csv|json|md", table by default.
void add_format_flag(Command& command, std::string& format);

// --columns and --wide.
class ViewFlags {
 public:
  explicit ViewFlags(Command& command);
  View view(Format format) const;  // UserError for columns of csv or json, which have them all
  View view_of_runs(Format format) const;  // UserError also for what no table of runs has

 private:
  std::vector<std::string> columns_;
  bool wide_ = false;
};

void print(const std::string& text);  // to stdout; throws UserError if it cannot be written

}  // namespace cpbench
