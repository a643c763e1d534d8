# The server on its own Node: the sources, what they need at run time, and the bundle of both that it starts from.
FROM node:24-bookworm-slim AS modules
WORKDIR /postern
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY bin ./bin
COPY src ./src
COPY views ./views
# The image has Node 24 already; the one npm would bring for older machines stays out.
RUN npm run prepare && npm prune --omit=dev --ignore-scripts \
 && rm -rf node_modules/node-linux-* node_modules/.bin/node

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    POSTERN_HOST=0.0.0.0 \
    POSTERN_DATA=/var/lib/postern/data \
    POSTERN_KEYS=/var/lib/postern/keys
WORKDIR /postern
COPY --from=modules /postern/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY src ./src
COPY views ./views
RUN ln -s /postern/bin/postern.js /usr/local/bin/postern \
 && install -d -o node -g node -m 0700 /var/lib/postern/data /var/lib/postern/keys
USER node
VOLUME ["/var/lib/postern/data", "/var/lib/postern/keys"]
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=8", "--expose-gc", "bin/server.js"]
