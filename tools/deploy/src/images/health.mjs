// The health check of an image: `node health.mjs URL` exits 0 when the address answers 200 within three seconds.
const answer = await fetch(process.argv[2], { signal: AbortSignal.timeout(3000) }).catch((error) => error);
if (!answer.ok) {
  process.stderr.write(`${answer.status ?? answer.message}\n`);
  process.exitCode = 1;
}
