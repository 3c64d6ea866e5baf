# Writes OUTPUT, a header with the commit of SOURCE_DIR, and touches it only when that changes.
# Run by every build: a header made at configure time would name an older commit.
set(sha "unknown")
set(dirty "unknown")
execute_process(COMMAND git -C ${SOURCE_DIR} rev-parse HEAD
                OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
                RESULT_VARIABLE failed)
if(NOT failed)
  set(sha ${found})
  execute_process(COMMAND git -C ${SOURCE_DIR} --no-optional-locks status --porcelain
                  OUTPUT_VARIABLE changes ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(dirty "yes")
    if(changes STREQUAL "")
      set(dirty "no")
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT
"#pragma once
#define CPBENCH_GIT_SHA \"@sha@\"
#define CPBENCH_GIT_DIRTY \"@dirty@\"
" @ONLY)
