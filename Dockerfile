# syntax=docker/dockerfile:1
# Written by "npm run image:dockerfile" from tools/deploy/src/images: change it there. One target per image:
#   docker build --target qbo-writer -t qbo-sync/qbo-writer .
# The same steps without a container engine: npm run image:rootfs -- qbo-writer

FROM node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20 AS node

FROM node AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# No install script of any package runs here; none is needed to compile.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY libs libs
COPY apps apps
COPY tools tools
RUN npm run build && node dist/tools/deploy/src/images/assemble-main.js /images

FROM gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f AS bare

# admin API: organizations, companies, syncs, jobs
FROM bare AS control
LABEL org.opencontainers.image.title="qbo-sync control" org.opencontainers.image.description="admin API: organizations, companies, syncs, jobs"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /images/control/app /app
ENV NODE_ENV=production SYNC_HTTP_HOST=0.0.0.0 SYNC_HTTP_PORT=8080
WORKDIR /app
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --start-interval=1s --retries=3 CMD ["/usr/local/bin/node","/app/health.mjs","http://127.0.0.1:8080/health/ready"]
ENTRYPOINT ["/usr/local/bin/node","/app/dist/apps/control/src/main.js"]

# sync log and audit chain
FROM bare AS audit
LABEL org.opencontainers.image.title="qbo-sync audit" org.opencontainers.image.description="sync log and audit chain"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /images/audit/app /app
ENV NODE_ENV=production SYNC_HTTP_HOST=0.0.0.0 SYNC_HTTP_PORT=8080
WORKDIR /app
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --start-interval=1s --retries=3 CMD ["/usr/local/bin/node","/app/health.mjs","http://127.0.0.1:8080/health/ready"]
ENTRYPOINT ["/usr/local/bin/node","/app/dist/apps/audit/src/main.js"]

# webhook door, capture loop, backfill
FROM bare AS ingest
LABEL org.opencontainers.image.title="qbo-sync ingest" org.opencontainers.image.description="webhook door, capture loop, backfill"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /images/ingest/app /app
ENV NODE_ENV=production SYNC_HTTP_HOST=0.0.0.0 SYNC_HTTP_PORT=8080
WORKDIR /app
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --start-interval=1s --retries=3 CMD ["/usr/local/bin/node","/app/health.mjs","http://127.0.0.1:8080/health/ready"]
ENTRYPOINT ["/usr/local/bin/node","/app/dist/apps/ingest/src/main.js"]

# changes to desired target records
FROM bare AS mapper
LABEL org.opencontainers.image.title="qbo-sync mapper" org.opencontainers.image.description="changes to desired target records"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /images/mapper/app /app
ENV NODE_ENV=production SYNC_HTTP_HOST=0.0.0.0 SYNC_HTTP_PORT=8080
WORKDIR /app
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --start-interval=1s --retries=3 CMD ["/usr/local/bin/node","/app/health.mjs","http://127.0.0.1:8080/health/ready"]
ENTRYPOINT ["/usr/local/bin/node","/app/dist/apps/mapper/src/main.js"]

# desired records into the target company
FROM bare AS qbo-writer
LABEL org.opencontainers.image.title="qbo-sync qbo-writer" org.opencontainers.image.description="desired records into the target company"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /images/qbo-writer/app /app
ENV NODE_ENV=production SYNC_HTTP_HOST=0.0.0.0 SYNC_HTTP_PORT=8080
WORKDIR /app
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --start-interval=1s --retries=3 CMD ["/usr/local/bin/node","/app/health.mjs","http://127.0.0.1:8080/health/ready"]
ENTRYPOINT ["/usr/local/bin/node","/app/dist/apps/qbo-writer/src/main.js"]

# files into the target company
FROM bare AS attachment-worker
LABEL org.opencontainers.image.title="qbo-sync attachment-worker" org.opencontainers.image.description="files into the target company"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /images/attachment-worker/app /app
ENV NODE_ENV=production SYNC_HTTP_HOST=0.0.0.0 SYNC_HTTP_PORT=8080
WORKDIR /app
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --start-interval=1s --retries=3 CMD ["/usr/local/bin/node","/app/health.mjs","http://127.0.0.1:8080/health/ready"]
ENTRYPOINT ["/usr/local/bin/node","/app/dist/apps/attachment-worker/src/main.js"]

# a QuickBooks Online for rehearsals; keeps nothing unless told where
FROM bare AS emulator
LABEL org.opencontainers.image.title="qbo-sync emulator" org.opencontainers.image.description="a QuickBooks Online for rehearsals; keeps nothing unless told where"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /images/emulator/app /app
ENV NODE_ENV=production
WORKDIR /app
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --start-interval=1s --retries=3 CMD ["/usr/local/bin/node","/app/health.mjs","http://127.0.0.1:8080/_emulator"]
ENTRYPOINT ["/usr/local/bin/node","/app/dist/tools/qbo-emulator/src/main.js","--host","0.0.0.0","--port","8080","--quiet"]
