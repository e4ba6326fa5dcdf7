# One image for the roles migrate, ingest, query and alerts. The embedded engine (chdb, about 540 MB) is not in it:
# a deployment names a ClickHouse server. `npm ci --omit=optional` would also leave out the platform binaries of
# lmdb, snappy and lz4, so chdb alone is taken out.
FROM node:22.21.1-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json main.ts ./
COPY scripts/build.mjs scripts/
COPY app app/
COPY core core/
COPY schemas schemas/
COPY local local/
COPY sigma sigma/
COPY storage storage/
COPY ingest ingest/
COPY query query/
COPY alerts alerts/
RUN npm ci
RUN npm prune --omit=dev --ignore-scripts
RUN rm -rf node_modules/chdb node_modules/@chdb

FROM node:22.21.1-bookworm-slim
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules/
COPY --from=build /app/dist dist/
RUN mkdir -p /data && chown 10001:10001 /data
USER 10001:10001
ENV NODE_ENV=production GATETRAIL_DATA_DIR=/data
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start"]
