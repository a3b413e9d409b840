// Loaded before an app (NODE_OPTIONS=--import): its clock is wrong by CHAOS_CLOCK_SKEW_MS, as on a machine whose time service
// died. Only the wall clock: what is measured in durations (timers, performance.now) stays right, as it does there.
const skewMs = Number(process.env.CHAOS_CLOCK_SKEW_MS ?? 0);
const RightDate = globalThis.Date;
const now = (): number => RightDate.now() + skewMs;

globalThis.Date = new Proxy(RightDate, {
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
  apply: () => new RightDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
});
