# `ablate` in a container. It has not been built by whoever wrote it; a test reads it.
#
#   docker build -t ablate .                             on the CPU
#   docker build -t ablate --build-arg DEVICE=cuda .     with PyTorch's CUDA build, of PyPI
#   docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" ablate grid my.yaml
#   docker run --rm --gpus all -v "$PWD:/work" ablate grid my.yaml
#
# The folder that is mounted at /work holds the specification and gets `results/`, the store in it;
# with ABLATIONS_STORAGE (`-e`) the store is a PostgreSQL database, and the same image on another
# machine is a worker: `ablate work my`. CUDA needs the host's driver and NVIDIA's container toolkit.

FROM python:3.12-slim

# cpu or cuda
ARG DEVICE=cpu

COPY pyproject.toml README.md LICENSE _ablate.py /src/
COPY ablations /src/ablations
COPY runner /src/runner
COPY analysis /src/analysis

# On Linux PyPI's torch is the CUDA build, some gigabytes more than the one for the CPU.
RUN case "$DEVICE" in \
      cpu) pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch torchvision ;; \
      cuda) ;; \
      *) echo "DEVICE=$DEVICE: expected cpu or cuda" >&2; exit 2 ;; \
    esac \
 && pip install --no-cache-dir "/src[train,postgres,dask]" \
 && rm -rf /src

# Whoever it runs as may write there: `--user` names anybody.
RUN useradd --create-home --uid 1000 ablate \
 && install --directory --owner ablate --mode 0777 /work /cache
ENV HOME=/cache ABLATIONS_CACHE=/cache
USER ablate
WORKDIR /work

ENTRYPOINT ["ablate"]
CMD ["--help"]
