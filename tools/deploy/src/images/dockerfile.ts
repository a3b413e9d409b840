// Writes the recipe down as a Dockerfile: one build stage for all, one target per image.
import { images } from './catalogue.js';
import type { Image } from './catalogue.js';
import { appFolder, bareImage, nodeImage, stepsOf } from './recipe.js';
import type { Step } from './recipe.js';

const assembled = (image: Image): string => `/images/${image.name}${appFolder}`;

function line(step: Step, image: Image): string {
  switch (step.kind) {
    case 'copy':
      // Owned by root and without write bits: the process cannot change its own program.
      return step.from === 'node'
        ? `COPY --from=node ${step.path} ${step.to}`
        : `COPY --from=build ${assembled(image)} ${step.to}`;
    case 'environment':
      return `ENV ${Object.entries(step.values)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')}`;
    case 'folder':
      return `WORKDIR ${step.path}`;
    case 'user':
      return `USER ${step.id}:${step.id}`;
    case 'port':
      return `EXPOSE ${step.port}`;
    case 'health':
      return `HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --start-interval=1s --retries=3 CMD ${JSON.stringify(step.command)}`;
    case 'start':
      return `ENTRYPOINT ${JSON.stringify(step.command)}`;
  }
}

function target(image: Image): string {
  return [
    `# ${image.title}`,
    `FROM bare AS ${image.name}`,
    `LABEL org.opencontainers.image.title="qbo-sync ${image.name}" org.opencontainers.image.description="${image.title}"`,
    ...stepsOf(image).map((step) => line(step, image)),
  ].join('\n');
}

export function dockerfile(): string {
  return `# syntax=docker/dockerfile:1
# Written by "npm run image:dockerfile" from tools/deploy/src/images: change it there. One target per image:
#   docker build --target qbo-writer -t qbo-sync/qbo-writer .
# The same steps without a container engine: npm run image:rootfs -- qbo-writer

FROM ${nodeImage} AS node

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

FROM ${bareImage} AS bare

${images.map(target).join('\n\n')}
`;
}
