# syntax=docker/dockerfile:1
# Two stages: the first installs the pinned, hash-checked requirements, the second only copies.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/opsbot
COPY requirements.txt /src/
RUN /opt/opsbot/bin/pip install --require-hashes -r /src/requirements.txt
COPY pyproject.toml README.md LICENSE /src/
COPY bot /src/bot
COPY digest /src/digest
COPY knowledge /src/knowledge
COPY cluster /src/cluster
COPY state /src/state
COPY core /src/core
COPY sandbox /src/sandbox
RUN /opt/opsbot/bin/pip install --no-deps --no-build-isolation /src \
 && /opt/opsbot/bin/python -m compileall -q /opt/opsbot/lib \
 && /opt/opsbot/bin/pip uninstall -y -q pip

FROM ${PYTHON_IMAGE}
# git: for `git:` sources of runbooks.
RUN apt-get update \
 && apt-get install -y --no-install-recommends git \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home opsbot \
 && install -d -o opsbot -m 0700 /var/lib/opsbot
COPY --from=build /opt/opsbot /opt/opsbot
ENV PATH=/opt/opsbot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OPSBOT_DATA_DIR=/var/lib/opsbot \
    HTTP_HOST=0.0.0.0
USER opsbot
WORKDIR /var/lib/opsbot
VOLUME /var/lib/opsbot
EXPOSE 3000
STOPSIGNAL SIGTERM
# `opsbot doctor` asks the running bot over its socket; it fails when a part is down.
HEALTHCHECK --interval=60s --timeout=20s --start-period=90s --retries=3 \
  CMD ["opsbot", "doctor", "--json"]
ENTRYPOINT ["opsbot"]
CMD ["run"]
