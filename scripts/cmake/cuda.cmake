# CUDA, where nvcc is: CPBENCH_WITH_CUDA, with NCCL::nccl and, where cuDNN is, CUDNN::cudnn and its
# frontend, CUDNN_FRONTEND_INCLUDE_DIR. gpu_library.cmake says where NCCL and cuDNN come from; the
# frontend's headers come from its package in .venv.
set(CPBENCH_WITH_CUDA OFF)
# Why not, for scripts/build to say.
set(CPBENCH_WITHOUT_CUDA "" CACHE INTERNAL "")
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  set(CPBENCH_WITHOUT_CUDA "there is no nvcc" CACHE INTERNAL "")
  return()
endif()
# A100; H100, H200; B200. Newer ones run what the driver makes of the last.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 100)
endif()
enable_language(CUDA)
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
set(CMAKE_CUDA_FLAGS_RELWITHDEBINFO "-O2 -lineinfo")
if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.8)
  string(APPEND CMAKE_CUDA_FLAGS " --compress-mode=size")  # a seventh of the bytes
endif()
if(CCACHE)
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE})
endif()
find_package(CUDAToolkit REQUIRED)

# cpbench_gpu_library(TARGET HEADER LIBRARY): an imported target, if both files are found.
include(gpu_library)
function(cpbench_gpu_library target header library)
  string(MAKE_C_IDENTIFIER ${target} name)
  cpbench_find_gpu_library(${name} ${header} "${library}")
  if(${name}_INCLUDE_DIR AND ${name}_LIBRARY)
    message(STATUS "${target}: ${${name}_LIBRARY}")
    add_library(${target} UNKNOWN IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${name}_LIBRARY})
    target_include_directories(${target} SYSTEM INTERFACE ${${name}_INCLUDE_DIR})
  endif()
endfunction()
cpbench_gpu_library(NCCL::nccl nccl.h "nccl;libnccl.so.2")
cpbench_gpu_library(CUDNN::cudnn cudnn.h "cudnn;libcudnn.so.9")
file(GLOB site_packages LIST_DIRECTORIES true ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages)
find_path(CUDNN_FRONTEND_INCLUDE_DIR cudnn_frontend.h
          HINTS ${site_packages} ${torch_root}/.. ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)

if(NOT TARGET NCCL::nccl)
  set(CPBENCH_WITHOUT_CUDA "nvcc is there, NCCL is not" CACHE INTERNAL "")
  return()
endif()
if(NOT TARGET CUDA::cublas)
  set(CPBENCH_WITHOUT_CUDA "nvcc is there, cuBLAS is not" CACHE INTERNAL "")
  return()
endif()
set(CPBENCH_WITH_CUDA ON)

# cpbench_gpu_test(NAME SOURCES ... DEPENDS ...): GoogleTests of what runs on a GPU. They run with the
# libraries of tests/fake_gpu in place of the real ones, and all at once on the GPU, if there is one.
set(CPBENCH_FAKE_GPU ${CMAKE_BINARY_DIR}/fake_gpu)
# LibTorch names the folder of its own libcudart, which goes before LD_LIBRARY_PATH. A sanitizer must
# come first.
set(CPBENCH_FAKE_GPU_PRELOAD libcudart.so.13 libnccl.so.2 libcublas.so.13 libnvidia-ml.so.1)
list(TRANSFORM CPBENCH_FAKE_GPU_PRELOAD PREPEND ${CPBENCH_FAKE_GPU}/)
list(JOIN CPBENCH_FAKE_GPU_PRELOAD ":" CPBENCH_FAKE_GPU_PRELOAD)
if(CPBENCH_SANITIZE)
  string(SUBSTRING ${CPBENCH_SANITIZE} 0 1 letter)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=lib${letter}san.so
                  OUTPUT_VARIABLE sanitizer OUTPUT_STRIP_TRAILING_WHITESPACE)
  string(PREPEND CPBENCH_FAKE_GPU_PRELOAD "${sanitizer}:")
endif()
string(PREPEND CPBENCH_FAKE_GPU_PRELOAD "LD_PRELOAD=")
function(cpbench_gpu_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} cpbench_source_tree GTest::gtest
                                        GTest::gtest_main)
  add_dependencies(${name} fake_cudart fake_nccl fake_cublas fake_nvml cpbench_torch)
  gtest_discover_tests(${name} NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60 TEST_PREFIX fake_gpu.
                       PROPERTIES ENVIRONMENT ${CPBENCH_FAKE_GPU_PRELOAD})
  add_test(NAME gpu.${name} COMMAND ${name})
  set_tests_properties(gpu.${name} PROPERTIES SKIP_REGULAR_EXPRESSION "no GPU here")
endfunction()
