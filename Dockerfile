FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# npm wants to see the workspace that package.json names; nothing of it is built or runs here.
COPY packages/client/package.json ./packages/client/
# No package needs its install script here: Prisma's would download an engine that scripts/schema-engine.mjs stands in for.
RUN npm ci --ignore-scripts --no-audit --no-fund
# By list: what lies beside them stays outside.
COPY prisma.config.ts tsconfig.json tsconfig.build.json ./
COPY contracts ./contracts
COPY prisma ./prisma
COPY scripts ./scripts
COPY src ./src
# Without the optional ones, too: Prisma's client names its command line as one, 250 MB that the service never runs.
RUN npm run build && npm prune --omit=dev --omit=optional --omit=peer --ignore-scripts

FROM node:24-bookworm-slim
# Until Node.js has started, some 0.1 s, nothing hears a signal to process 1: tini does, and it hands signals on.
RUN apt-get update && apt-get install --yes --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production HTTP_HOST=0.0.0.0 HTTP_PORT=3000
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/prisma/migrations ./prisma/migrations
COPY --from=build /app/scripts/migrate.mjs /app/scripts/check-node.mjs ./scripts/
USER node
EXPOSE 3000
# Liveness: while PostgreSQL or the broker is away a new container would serve no better.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "require(process.env.HTTP_TLS_CERT_FILE ? 'https' : 'http').get({ host: '127.0.0.1', port: process.env.HTTP_PORT, path: '/health/live', rejectUnauthorized: false }, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
# 143, ended by SIGTERM before it could hear it, is an end in order.
ENTRYPOINT ["tini", "-e", "143", "--"]
CMD ["node", "--enable-source-maps", "dist/src/main.js"]
