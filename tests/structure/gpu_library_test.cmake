# The libraries of torch's packages are preferred: run with cmake -DSOURCE_DIR=... -P.
include(${SOURCE_DIR}/scripts/cmake/gpu_library.cmake)
set(CMAKE_FIND_LIBRARY_PREFIXES lib)
set(CMAKE_FIND_LIBRARY_SUFFIXES .so)
set(place ${CMAKE_CURRENT_BINARY_DIR}/gpu_library_test)
file(REMOVE_RECURSE ${place})
set(torch_root ${place}/site-packages/torch)
set(CUDAToolkit_LIBRARY_DIR ${place}/toolkit/lib)
set(CUDAToolkit_INCLUDE_DIRS ${place}/toolkit/include)
set(package ${place}/site-packages/nvidia/nccl)
foreach(file ${torch_root}/lib/libtorch_cpu.so ${package}/lib/libnccl.so.2 ${package}/include/nccl.h
        ${CUDAToolkit_LIBRARY_DIR}/libnccl.so ${CUDAToolkit_INCLUDE_DIRS}/nccl.h
        ${CUDAToolkit_LIBRARY_DIR}/libcudnn.so ${CUDAToolkit_INCLUDE_DIRS}/cudnn.h)
  file(WRITE ${file} "")
endforeach()

function(expect found wanted)
  cmake_path(NORMAL_PATH found)
  if(NOT found STREQUAL wanted)
    message(SEND_ERROR "found ${found} instead of ${wanted}")
  endif()
endfunction()

cpbench_find_gpu_library(NCCL nccl.h "nccl;libnccl.so.2")
expect(${NCCL_LIBRARY} ${package}/lib/libnccl.so.2)
expect(${NCCL_INCLUDE_DIR} ${package}/include)
cpbench_find_gpu_library(CUDNN cudnn.h "cudnn;libcudnn.so.9")
expect(${CUDNN_LIBRARY} ${place}/toolkit/lib/libcudnn.so)
expect(${CUDNN_INCLUDE_DIR} ${place}/toolkit/include)
