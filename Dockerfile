# Two stages: the first installs what requirements.lock pins, the second takes the result and the product's own files.

FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements.lock .
RUN --mount=type=cache,target=/var/cache/pip \
    python -m venv /opt/venv \
    && PIP_CACHE_DIR=/var/cache/pip /opt/venv/bin/pip install --disable-pip-version-check \
        --require-hashes -r requirements.lock

FROM python:3.13-slim
# The vendors' libraries trust the certificates of the system.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --shell /usr/sbin/nologin chat \
    && install -d -o chat -g chat /app/data
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY LICENSE config.toml main.py ./
COPY gate gate
COPY engine engine
COPY bot bot
COPY providers providers
COPY billing billing
COPY webhooks webhooks
COPY storage storage
# The user below may not write here, so bytecode is made now: every start would compile all of it otherwise.
RUN /opt/venv/bin/python -m compileall -q .

ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8080
USER chat
VOLUME /app/data
EXPOSE 8080
STOPSIGNAL SIGTERM
# Through no proxy. For a process without the web role (`run --only discord`), start with --no-healthcheck.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]
CMD ["python", "main.py", "run"]
