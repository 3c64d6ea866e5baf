#include "harness/simulate/run_simgrid.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "harness/plan/errors.h"
#include "harness/simulate/job_text.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "cpbench-simgrid";
constexpr const char* kHowToGetIt =
    "; install the package libsimgrid-dev and build again, or use network = ports";
constexpr int kCannotStart = 127;  // a library of it is missing

bool is_program(const fs::path& path) {
  return fs::is_regular_file(path) && access(path.c_str(), X_OK) == 0;
}

// A file without a name, gone when it is closed.
using TemporaryFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
TemporaryFile make_temporary() {
  TemporaryFile file(std::tmpfile(), &std::fclose);
  if (!file) {
    throw std::runtime_error(std::string("no temporary file can be made: ") + std::strerror(errno));
  }
  return file;
}

void write_whole(std::FILE* file, const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file) != text.size() || std::fflush(file) != 0) {
    throw std::runtime_error(std::string("a temporary file cannot be written: ") +
                             std::strerror(errno));
  }
  std::rewind(file);
}

std::string read_whole(std::FILE* file) {
  std::rewind(file);
  std::string text;
  char block[1 << 16];
  while (const size_t got = std::fread(block, 1, sizeof(block), file)) text.append(block, got);
  return text;
}

// Its wait status. Files, not pipes: neither side can block or break the other.
int run_program(const std::string& program, std::FILE* in, std::FILE* out, std::FILE* err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(in), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(err), STDERR_FILENO);
  char* arguments[] = {const_cast<char*>(program.c_str()), nullptr};
  pid_t child = 0;
  const int failed = posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    throw UserError("simgrid: " + program + " cannot be started (" + std::strerror(failed) + ")" +
                    kHowToGetIt);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::runtime_error(std::string("waitpid: ") + std::strerror(errno));
  }
  return status;
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.find_last_of('\n') + 1);
}

[[noreturn]] void report_failure(const std::string& program, int status, const std::string& words) {
  if (WIFSIGNALED(status)) {
    throw std::runtime_error(program + " was ended by signal " + std::to_string(WTERMSIG(status)) +
                             " " + words.substr(0, words.find('\n')));
  }
  if (WEXITSTATUS(status) == kCannotStart) {
    throw UserError("simgrid: " + last_line(words) + kHowToGetIt);
  }
  throw std::runtime_error("simgrid: " + last_line(words));
}

}  // namespace

std::string simgrid_program() {
  std::error_code ignored;
  std::string tried = fs::read_symlink("/proc/self/exe", ignored).parent_path().string();
  const char* path = std::getenv("PATH");
  std::istringstream folders(tried + ":" + (path == nullptr ? "" : path));
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder) / kProgram;
    if (!folder.empty() && is_program(program)) return program;
  }
  throw UserError(std::string("simgrid needs the program ") + kProgram + ", which is neither in " +
                  tried + " nor on PATH" + kHowToGetIt);
}

Execution run_simgrid(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
                      const std::string& program) {
  const TemporaryFile in = make_temporary(), out = make_temporary(), err = make_temporary();
  write_whole(in.get(), job_text(schedule, machine, profile));
  const int status = run_program(program, in.get(), out.get(), err.get());
  if (status != 0) report_failure(program, status, read_whole(err.get()));
  return parse_execution(read_whole(out.get()), schedule.size());
}

}  // namespace cpbench
