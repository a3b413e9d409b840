// A figure as Grafana writes the units that our boards use.
const short = (value: number): string => String(Number(value.toPrecision(3)));

export function inUnit(value: number, unit = 'short'): string {
  if (unit === 'percentunit') return `${short(value * 100)} %`;
  if (unit === 'ops') return `${short(value)}/s`;
  if (unit === 'bytes') return value >= 2 ** 20 ? `${short(value / 2 ** 20)} MiB` : `${short(value / 1024)} KiB`;
  if (unit !== 's') return value >= 10_000 ? `${short(value / 1000)} K` : short(value);
  if (value >= 2 * 86_400) return `${short(value / 86_400)} days`;
  if (value >= 120) return `${short(value / 60)} min`;
  return value !== 0 && Math.abs(value) < 1 ? `${short(value * 1000)} ms` : `${short(value)} s`;
}
