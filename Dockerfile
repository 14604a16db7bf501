# The gate alone: reads predictions, loads no model, and holds no torch.
#   docker build -t prunegate-gate .
#   docker run --rm -v "$PWD:/work" prunegate-gate gate policy.yaml --predictions table.csv
FROM python:3.11-slim
WORKDIR /opt/prunegate
COPY pyproject.toml README.md LICENSE requirements-gate.txt ./
COPY ci/install.sh ci/install.sh
COPY src src
RUN bash ci/install.sh
RUN useradd --create-home prunegate
USER prunegate
WORKDIR /work
ENTRYPOINT ["prunegate"]
