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
 && groupadd --system --gid 10001 opsbot \
 && useradd --system --uid 10001 --gid 10001 --no-create-home opsbot \
 && install -d -o opsbot -g opsbot -m 0700 /var/lib/opsbot
COPY --from=build /opt/opsbot /opt/opsbot
# Only the data folder and /tmp are written to: the rest may be read-only.
ENV PATH=/opt/opsbot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    OPSBOT_DATA_DIR=/var/lib/opsbot \
    HTTP_HOST=0.0.0.0 \
    METRICS_PORT=9464
# By its number, so that a kubelet can see that it is not root.
USER 10001
WORKDIR /var/lib/opsbot
VOLUME /var/lib/opsbot
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9464/readyz')"]
ENTRYPOINT ["opsbot"]
CMD ["run"]
