import { latencies, percentile } from './freshness.js';
import { peak, quotaUse } from './quota.js';
import { Screen, progressLine } from './screen.js';
import { readArguments } from './arguments.js';

const act = (o: object) => ({
  what: 'edit',
  type: 'Invoice',
  id: '1',
  doneMs: 10_000,
  lastUpdatedTime: '2026-01-01T00:00:10-08:00',
  ...o,
});
const row = (o: object) => ({
  ...{ at: new Date(11_500).toISOString(), stage: 'settled', entityType: 'Invoice', entityId: '1', outcome: 'updated' },
  version: '2026-01-01T08:00:10.000Z_0000000001_x',
  ...o,
});

describe('freshness', () => {
  it('runs from the answered edit to the first settled entry that covers its version', () => {
    const log = [
      row({ at: new Date(13_000).toISOString() }),
      row({}),
      row({ at: new Date(10_500).toISOString(), version: '2026-01-01T08:00:09.000Z_0000000000_x' }),
    ];
    expect(latencies([act({})], log)).toEqual({ ms: [1500], unsettled: [] });
  });

  it('an edit that a later one overtook counts until the later one', () => {
    expect(latencies([act({})], [row({ version: '2026-01-01T08:00:12.000Z_0000000002_x' })]).ms).toEqual([1500]);
  });

  it('a deletion is covered by a deletion only; what nothing covers is listed', () => {
    const deletion = act({ lastUpdatedTime: undefined });
    expect(latencies([deletion], [row({})])).toEqual({ ms: [], unsettled: [deletion] });
    expect(latencies([deletion], [row({ outcome: 'deleted' })]).ms).toEqual([1500]);
  });

  it('a failed or held outcome settles nothing', () => {
    expect(latencies([act({})], [row({ outcome: 'failed' })]).unsettled).toHaveLength(1);
  });

  it('percentiles are by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([50, 95, 99, 100].map((p) => percentile(values, p))).toEqual([50, 95, 99, 100]);
    expect(percentile([7], 99)).toBe(7);
  });
});

describe('quota', () => {
  it('the peak is the fullest window, wherever it lies', () => {
    expect(peak([0, 100, 999, 1000, 1001, 5000], 1000)).toBe(4);
    expect(peak([], 1000)).toBe(0);
  });

  it('sorts requests by what they cost', () => {
    const request = (method: string, path: string, status = 200) => ({
      method,
      path,
      status,
      app: 'a',
      time: '2026-01-01T00:00:00Z',
    });
    const use = quotaUse([
      ...[
        request('GET', '/v3/company/1/cdc?x'),
        request('GET', '/v3/company/1/query?query=x'),
        request('POST', '/v3/company/1/batch'),
      ],
      ...[
        request('POST', '/v3/company/1/invoice'),
        request('POST', '/v3/company/1/upload'),
        request('POST', '/v3/company/1/invoice', 429),
      ],
    ]);
    expect(use).toMatchObject({
      requests: 6,
      reads: 2,
      cdc: 1,
      writes: 1,
      batches: 1,
      uploads: 1,
      throttled: 1,
      peakPerSecond: 5,
    });
  });
});

describe('the screen', () => {
  const shown = (o: { quiet: boolean; terminal: boolean }): string => {
    let text = '';
    const screen = new Screen(o, (more) => void (text += more));
    screen.live('first');
    screen.live('second');
    screen.detail('detail');
    screen.table(['a'], [['1']]);
    screen.line('result');
    return text;
  };

  it('rewrites one line on a terminal and leaves no trace of it', () => {
    expect(shown({ quiet: false, terminal: true })).toContain('\r\u001b[2K  second\r\u001b[2K  detail\n');
  });

  it('writes plain lines elsewhere, not more often than every two seconds', () => {
    expect(shown({ quiet: false, terminal: false })).toMatch(/^ {2}first\n {2}detail\n/);
  });

  it('says only results with --quiet', () => {
    expect(shown({ quiet: true, terminal: true })).toBe('result\n');
  });

  it('tells counts, rate and time to go', () => {
    expect(progressLine(50, 150, 5000)).toBe('50/150 records, 10/s, 10 s to go');
    expect(progressLine(0, 150, 0)).toBe('0/150 records, 0/s, no rate yet');
    expect(progressLine(150, 150, 5000)).toBe('150/150 records, 30/s, all there');
  });
});

it('understands its arguments and refuses odd ones with a sentence', () => {
  expect(readArguments(['--quiet'])).toEqual({ quiet: true, stay: false, observe: false, workMs: 20_000, seed: 7 });
  expect(readArguments(['-h'])).toBe('help');
  expect(() => readArguments(['--work-seconds', 'x'])).toThrow('--work-seconds takes 1 to 3600');
  expect(() => readArguments(['--fast'])).toThrow(/--fast/);
});
