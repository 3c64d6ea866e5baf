# LibTorch from TORCH_DIR (the folder that holds lib/ and include/), else from the .venv, else from
# the torch of the python3 on PATH. Target: cpbench::torch.
set(TORCH_DIR "" CACHE PATH "folder of an installed torch package (holds lib/ and include/)")

if(TORCH_DIR)
  set(torch_root ${TORCH_DIR})
else()
  foreach(python ${CMAKE_SOURCE_DIR}/.venv/bin/python3 python3)
    execute_process(
      COMMAND ${python} -c
              "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
      OUTPUT_VARIABLE torch_root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
      RESULT_VARIABLE failed)
    if(NOT failed)
      break()
    endif()
    set(torch_root "")
  endforeach()
endif()
if(NOT EXISTS ${torch_root}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "LibTorch not found: run scripts/setup, or set TORCH_DIR to a torch folder")
endif()
message(STATUS "LibTorch: ${torch_root}")

file(GLOB torch_nvidia_libs LIST_DIRECTORIES true ${torch_root}/../nvidia/*/lib)
set(torch_link_dirs ${torch_root}/lib ${torch_nvidia_libs})
list(TRANSFORM torch_link_dirs PREPEND "-Wl,-rpath-link," OUTPUT_VARIABLE torch_rpath_link)

add_library(cpbench_libtorch INTERFACE)
add_library(cpbench::torch ALIAS cpbench_libtorch)
# -idirafter: torch ships its own fmt, which must not hide the system's.
target_compile_options(cpbench_libtorch INTERFACE
  "SHELL:$<$<COMPILE_LANGUAGE:CXX>:-idirafter ${torch_root}/include>")
target_compile_definitions(cpbench_libtorch INTERFACE AT_PER_OPERATOR_HEADERS)
target_link_options(cpbench_libtorch INTERFACE ${torch_rpath_link})
target_link_libraries(cpbench_libtorch INTERFACE ${torch_root}/lib/libtorch_cpu.so
                                              ${torch_root}/lib/libc10.so)
