# cpbench in a container: `cpu` (the default), and `cuda` with the module for GPUs.
#
#   docker build -t cpbench .
#   docker run --rm cpbench recommend --workload pile --ranks 8 --tokens 128K
#   docker build --target cuda -t cpbench-cuda .
#   docker run --rm --gpus all --shm-size 1g --entrypoint scripts/gpu_check cpbench-cuda
#
# Packages are those of scripts/setup; they are installed here first, so that an edited source does not
# install them again. The build ends by running commands of the README.

FROM nvidia/cuda:13.0.2-cudnn-devel-ubuntu24.04 AS cuda
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends \
      g++ git pkg-config libhdf5-dev zlib1g-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev \
      libfmt-dev libgtest-dev libbenchmark-dev coinor-libcbc-dev libmetis-dev libsimgrid-dev libopenmpi-dev \
      openmpi-bin libprotobuf-dev protobuf-compiler ccache python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/torch && /opt/torch/bin/pip install --no-cache-dir torch==2.11.0
WORKDIR /cpbench
COPY . .
# The image's PyTorch brings its CUDA libraries, which the one of scripts/setup leaves out.
RUN ln -s "$(/opt/torch/bin/python -c 'import torch; print(torch.__path__[0])')" /opt/torch_dir
ENV TORCH_DIR=/opt/torch_dir
RUN scripts/setup && scripts/build && test -f build/cpbench_cuda.so
RUN build/cpbench list workloads
ENTRYPOINT ["build/cpbench"]

FROM ubuntu:24.04 AS cpu
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends \
      g++ git pkg-config libhdf5-dev zlib1g-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev \
      libfmt-dev libgtest-dev libbenchmark-dev coinor-libcbc-dev libmetis-dev libsimgrid-dev libopenmpi-dev \
      openmpi-bin libprotobuf-dev protobuf-compiler ccache python3-venv ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /cpbench
COPY . .
RUN scripts/setup && scripts/build cpbench
RUN build/cpbench plan --strategy ring --workload fixed:tokens=8 --tokens 16 --ranks 2
RUN build/cpbench run --strategy flashcp,ring --workload pile --tokens 8K --ranks 4 --packs 2
ENTRYPOINT ["build/cpbench"]
