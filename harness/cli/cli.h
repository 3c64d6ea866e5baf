// The command line: `cpbench COMMAND ...`. Data goes to stdout, narration to stderr; the exit codes
// are in harness/run/exit_codes.h.
#pragma once

namespace cpbench {

int command_line_main(int argc, char** argv);

}  // namespace cpbench
