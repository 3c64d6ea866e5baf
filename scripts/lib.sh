# shellcheck shell=bash
# What the shell scripts share: paths, messages, lists of files, and how to configure and build.
#
# It is sourced, not run, and expects `set -euo pipefail`:
#
#   source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
#   help_if_asked "$@"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv

# Messages go to stderr, so that stdout has nothing but data.
say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { local code=$1; shift; say "$*"; exit "$code"; }

# The comment at the head of a script is its help.
help_if_asked() {
  local argument
  for argument in "$@"; do
    case $argument in
      -h|--help) sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    esac
  done
}

refuse_arguments() {
  [ $# -eq 0 ] || die 2 "unknown argument '$1'; see scripts/$(basename "$0") --help"
}

# Becomes the Python program, with the project's own interpreter if there is one.
exec_python() {
  local python=$venv/bin/python3
  [ -x "$python" ] || python=python3
  exec "$python" "$@"
}

# The path as seen from the folder in which the user started the script.
relative() { realpath -m --relative-to=. "$1"; }

# Files of the project that git tracks or would track, separated by NUL.
own_files() {
  git -C "$root" ls-files -z --cached --others --exclude-standard --deduplicate -- "$@" |
    while IFS= read -r -d '' file; do
      if [ -f "$root/$file" ]; then printf '%s\0' "$file"; fi
    done
}

cpp_files() { own_files '*.h' '*.cc' '*.cu'; }

# Files that end in .py, and scripts whose first line names Python.
python_files() {
  own_files '*.py'
  own_files 'scripts/*' | while IFS= read -r -d '' file; do
    case $file in *.*) continue ;; esac
    if head -n 1 "$root/$file" | grep -q '^#!.*python'; then printf '%s\0' "$file"; fi
  done
}

# configure_and_build FOLDER "CMAKE OPTIONS" TARGET...: configures if the folder is not configured yet or
# the options, its path or the environment changed; ninja notices every other change.
configure_and_build() {
  local build=$root/$1 options=$2
  shift 2
  export PATH=$venv/bin:$PATH
  # Compiled files are shared between clones: ccache then hashes no path of this one.
  export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=true
  local wanted="$root|${TORCH_DIR:-}|${CXX:-}|${CXXFLAGS:-}|$options"
  if [ ! -f "$build/build.ninja" ] || [ "$(cat "$build/configured" 2>/dev/null)" != "$wanted" ]; then
    say "configuring ${build#"$root"/}"
    # shellcheck disable=SC2086  # options are words
    cmake --fresh -S "$root" -B "$build" -G Ninja -DTORCH_DIR="${TORCH_DIR:-}" $options >&2 ||
      die 1 "cmake failed; see its message above"
    printf '%s' "$wanted" > "$build/configured"
  fi
  ninja -C "$build" -j "$(nproc)" "$@" >&2 || die 1 "the build failed; see the compiler's message above"
}
