# The emulator of the installed Google Cloud CLI, at the place where the official image has it. The build context is the
# CLI's folder platform/cloud-firestore-emulator.
ARG PYTHON_BASE_IMAGE
FROM ${PYTHON_BASE_IMAGE}
RUN mkdir -p /usr/share/man/man1 \
 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends default-jre-headless >/dev/null \
 && rm -rf /var/lib/apt/lists/*
COPY cloud-firestore-emulator.jar /google-cloud-sdk/platform/cloud-firestore-emulator/
USER 65532:65532
