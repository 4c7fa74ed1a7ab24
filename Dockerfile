# The same scripts as on any machine, in an image that runs as an ordinary user.
FROM python:3.11-slim

WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 PYTHONUNBUFFERED=1

# Built and run with Docker Engine 20.10 (BuildKit), on Debian 12 with its own Python 3.11 in place
# of Docker's image of that name. docs/configuration.md has the figures.
ARG EXTRAS=postgresql,redis,speech

# The dependencies first: a layer that changes only with them.
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY scripts/install scripts/install
RUN mkdir api bot channels core knowledge migrations services \
    && scripts/install "$EXTRAS"

COPY . .
# Installed as root, run by a user who may write only to the folders of data.
RUN scripts/install "$EXTRAS" \
    && .venv/bin/python -m compileall -q api bot channels core knowledge migrations services \
    && useradd --create-home --uid 1000 mdf \
    && mkdir /data /files /vectors \
    && chown mdf /data /files /vectors

USER mdf
ENV HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s --retries=3 \
    CMD [".venv/bin/python", "-c", \
    "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health')"]
CMD [".venv/bin/mdf", "serve", "--seed"]
