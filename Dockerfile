# syntax=docker/dockerfile:1
# docker build -t omendb/server:v0.1.0 .
# For both architectures: docker buildx build --platform linux/amd64,linux/arm64 -t omendb/server:v0.1.0 .

# The long-term release of Node; any of 20.19 or newer works.
ARG NODE_IMAGE=node:24-bookworm-slim

# Nothing in the tree is compiled for a platform, so it is built once, on the machine's own.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /src
ENV npm_config_cache=/npm
# Packages change less often than sources.
COPY package.json package-lock.json ./
COPY server/package.json server/
COPY sdk/package.json sdk/
RUN --mount=type=cache,target=/npm npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN --mount=type=cache,target=/npm node scripts/image-tree.mjs /tree

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="OmenDB Server" \
      org.opencontainers.image.description="A vector database whose only durable state is object storage" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The image of Node has a user with the number 1000 already, and no need of npm.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn* \
    && ln -s /app/dist/main.js /usr/local/bin/omendb \
    && install -d -o 1000 -g 1000 /app/data
COPY --from=build /tree/app /app
ENV NODE_ENV=production \
    OMENDB_DATA_DIR=/app/data
WORKDIR /app
USER 1000:1000
VOLUME /app/data
EXPOSE 8080 9090 8081
# The server is process 1 and obeys SIGTERM itself: it finishes what is in work.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:8081/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve"]
