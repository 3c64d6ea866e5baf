#include <fmt/format.h>

#include <algorithm>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/listing.h"
#include "harness/cli/terminal.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {

namespace {

const ListKind& find_kind(const std::string& name) {
  const auto found = std::ranges::find(list_kinds(), name, &ListKind::name);
  if (found == list_kinds().end()) throw UserError(unknown_name("kind", name, list_kind_names()));
  return *found;
}

// The row of one name.
Table only(Table table, const ListKind& kind, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& row : table.rows) names.push_back(row.front());
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) throw UserError(unknown_name(kind.one, name, names));
  table.rows = {table.rows[found - names.begin()]};
  return table;
}

// One row as lines of a key and its value.
Table upright(const Table& table) {
  Table lines{{{""}, {""}}, {}, true};
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const std::string& value = table.rows.front()[c];
    if (!value.empty()) lines.rows.push_back({table.columns[c].name, value});
  }
  return lines;
}

int list(const std::string& kind_name, const std::string& name, Format format, View view) {
  const ListKind& kind = find_kind(kind_name);
  if (name.empty()) {
    view.more =
        fmt::format("cpbench list {} NAME shows all of one, --wide all columns.", kind.name);
    print(render(kind.table(), format, view));
    return kExitOk;
  }
  const Table one = only(kind.table(), kind, name);
  print(format == Format::table
            ? render(upright(with_columns(one, view.columns)), format, {.width = view.width})
            : render(one, format, view));
  return kExitOk;
}

}  // namespace

void add_list_command(CLI::App& app, Context& context) {
  std::string kinds;
  for (const ListKind& kind : list_kinds()) {
    kinds += fmt::format("  {:<15}{}\n", kind.name, kind.help);
  }
  Command command(app, "list",
                  "Lists what there is to choose from.\n"
                  "Examples:\n"
                  "  cpbench list strategies\n"
                  "  cpbench list strategies flashcp\n"
                  "  cpbench list metrics --format json\n"
                  "\nKinds:\n" +
                      kinds);
  auto kind = std::make_shared<std::string>(), name = std::make_shared<std::string>();
  auto format = std::make_shared<std::string>();
  command.argument("kind", *kind, "what to list", "KIND");
  command.optional_argument("name", *name, "show everything about this one", "NAME");
  add_format_flag(command, *format);
  auto view = std::make_shared<ViewFlags>(command);
  command.action([kind, name, view, format, &context] {
    const Format parsed = parse_format(*format);
    context.exit_code = list(*kind, *name, parsed, view->view(parsed));
  });
}

}  // namespace cpbench
