# Another base is given for `make image-test`; it must have Node.js, npm, apt and the user node (1000).
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# npm wants to see the workspace that package.json names; nothing of it is built or runs here.
COPY packages/client/package.json ./packages/client/
# No package needs its install script here: Prisma's would download an engine that scripts/schema-engine.mjs stands in for.
# npm 10 can fail with exit code 0; the file is the last that it writes.
RUN npm ci --ignore-scripts --no-audit --no-fund && test -s node_modules/.package-lock.json
# By list: what lies beside them stays outside.
COPY prisma.config.ts tsconfig.json tsconfig.build.json ./
COPY contracts ./contracts
COPY prisma ./prisma
COPY scripts ./scripts
COPY src ./src
# Without the optional ones, too: Prisma's client names its command line as one, 250 MB that the service never runs.
# slim-packages.mjs fails where what is left is not what package-lock.json says.
RUN npm run build && npm prune --omit=dev --omit=optional --omit=peer --ignore-scripts --no-audit --no-fund \
  && node scripts/sbom.mjs sbom.json && node scripts/slim-packages.mjs .

FROM ${BASE}
# Until Node.js has started, some 0.1 s, nothing hears a signal to process 1: tini does, and it hands signals on.
RUN apt-get update && apt-get install --yes --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production HTTP_HOST=0.0.0.0 HTTP_PORT=3000
WORKDIR /app
COPY --from=build /app/package.json /app/sbom.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/prisma/migrations ./prisma/migrations
COPY --from=build /app/scripts/migrate.mjs /app/scripts/check-node.mjs ./scripts/
# By number, so that Kubernetes can see that it is not root. All of the above belongs to root: the program cannot change it.
USER 1000:1000
EXPOSE 3000
# Liveness: while PostgreSQL or the broker is away a new container would serve no better.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "require(process.env.HTTP_TLS_CERT_FILE ? 'https' : 'http').get({ host: '127.0.0.1', port: process.env.HTTP_PORT, path: '/health/live', rejectUnauthorized: false }, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
# 143, ended by SIGTERM before it could hear it, is an end in order.
ENTRYPOINT ["tini", "-e", "143", "--"]
CMD ["node", "--enable-source-maps", "--max-semi-space-size=32", "dist/src/main.js"]
# Last, so that a new version keeps the layers above: docker build --build-arg VERSION=… --build-arg REVISION=$(git rev-parse HEAD)
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Account Manager" \
  org.opencontainers.image.description="Hands Telegram accounts to the services of a company and keeps every account inside Telegram's limits" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.base.name="node:24-bookworm-slim"
