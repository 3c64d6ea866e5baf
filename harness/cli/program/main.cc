// The `cpbench` program.
#include "harness/cli/cli.h"

int main(int argc, char** argv) { return cpbench::command_line_main(argc, argv); }
