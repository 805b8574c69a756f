# `ablate` in a container. It has not been built by whoever wrote it; a test reads it.
#
#   docker build -t ablate .                                   with PyTorch's CUDA build
#   docker build -t ablate --build-arg TORCH_INDEX=URL .       for the CPU, some gigabytes smaller
#   docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" ablate grid my.yaml
#   docker run --rm --gpus all -v "$PWD:/work" ablate grid my.yaml
#
# The folder that is mounted at /work holds the specification and gets `results/`, the store in it;
# with ABLATIONS_STORAGE (`-e`) the store is a PostgreSQL database, and the same image on another
# machine is a worker: `ablate work my`. CUDA needs the host's driver and NVIDIA's container toolkit.
# URL is the index of PyTorch's wheels without CUDA, which its installation page names.

FROM python:3.12-slim

# Of PyTorch's wheels; empty: what pip takes by itself, on Linux the CUDA build.
ARG TORCH_INDEX=

COPY pyproject.toml README.md LICENSE _ablate.py /src/
COPY ablations /src/ablations
COPY runner /src/runner
COPY analysis /src/analysis

RUN if [ -n "$TORCH_INDEX" ]; then \
      pip install --no-cache-dir --index-url "$TORCH_INDEX" torch torchvision; \
    fi \
 && pip install --no-cache-dir "/src[train,postgres,dask,parquet]" \
 && rm -rf /src

# Whoever it runs as may write there: `--user` names anybody.
RUN useradd --create-home --uid 1000 ablate \
 && install --directory --owner ablate --mode 0777 /work /cache
ENV HOME=/cache ABLATIONS_CACHE=/cache
USER ablate
WORKDIR /work

ENTRYPOINT ["ablate"]
CMD ["--help"]
