#include <fmt/format.h>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/listing.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {

namespace {

int list(const std::string& kind_name, const std::string& format_name) {
  const Format format = parse_format(format_name);
  for (const ListKind& kind : list_kinds()) {
    if (kind.name != kind_name) continue;
    print(render(kind.table(), format));
    return kExitOk;
  }
  throw UserError(unknown_name("kind", kind_name, list_kind_names()));
}

}  // namespace

void add_list_command(CLI::App& app, Context& context) {
  std::string kinds;
  for (const ListKind& kind : list_kinds()) {
    kinds += fmt::format("  {:<14}{}\n", kind.name, kind.help);
  }
  CLI::App* command = app.add_subcommand("list",
                                         "Lists what there is to choose from.\n"
                                         "Examples:\n"
                                         "  cpbench list strategies\n"
                                         "  cpbench list metrics --format json\n"
                                         "\nKinds:\n" +
                                             kinds);
  auto kind = std::make_shared<std::string>();
  auto format = std::make_shared<std::string>();
  command->add_option("kind", *kind, "what to list")->required()->type_name("KIND");
  add_format_flag(*command, *format);
  command->callback([kind, format, &context] { context.exit_code = list(*kind, *format); });
}

}  // namespace cpbench
