// Stops what global-setup.ts started; services that were given by the environment stay.
export default async function globalTeardown(): Promise<void> {
  await (globalThis as { stopTestInfrastructure?: () => Promise<void> }).stopTestInfrastructure?.();
}
