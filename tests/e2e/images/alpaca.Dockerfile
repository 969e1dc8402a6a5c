# The Alpaca simulator of simulators/, with the protocol of relay/. The build context is the repository's root.
ARG PYTHON_BASE_IMAGE
FROM ${PYTHON_BASE_IMAGE}
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
ARG PIP_DEFAULT_TIMEOUT
RUN python3 -m venv /opt/alpaca
COPY requirements/alpaca-server.txt /tmp/
RUN /opt/alpaca/bin/pip install --quiet --no-cache-dir --require-hashes -r /tmp/alpaca-server.txt
COPY relay/src simulators/src /app/
ENV PYTHONPATH=/app PATH=/opt/alpaca/bin:$PATH
USER 65532:65532
