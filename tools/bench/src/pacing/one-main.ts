import { play } from './schedule.js';
const s: any = [
  {
    seed: 510079524,
    minutes: 3,
    processes: [
      {
        skewMs: 0,
        databaseMs: 4,
        oneWayMs: 0,
        jitterMs: 0,
        regimes: [],
        stalls: [],
        crashes: [],
        lanes: [
          { class: 'bulk', callers: 1, batchShare: 0, pauseMs: 0 },
          { class: 'bulk', callers: 4, batchShare: 0.1, pauseMs: 0 },
        ],
      },
      {
        skewMs: 0,
        databaseMs: 4,
        oneWayMs: 59,
        jitterMs: 165,
        regimes: [],
        stalls: [],
        crashes: [],
        lanes: [
          { class: 'interactive', callers: 4, batchShare: 0.5, pauseMs: 50 },
          { class: 'live', callers: 5, batchShare: 0, pauseMs: 0 },
          { class: 'bulk', callers: 6, batchShare: 0.5, pauseMs: 0 },
        ],
      },
      {
        skewMs: -3600000,
        databaseMs: 4,
        oneWayMs: 0,
        jitterMs: 0,
        regimes: [],
        stalls: [],
        crashes: [],
        lanes: [
          { class: 'attachments', callers: 5, batchShare: 0, pauseMs: 0 },
          { class: 'attachments', callers: 1, batchShare: 0, pauseMs: 0 },
          { class: 'live', callers: 8, batchShare: 0.1, pauseMs: 0 },
        ],
      },
      {
        skewMs: -3600000,
        databaseMs: 300,
        oneWayMs: 0,
        jitterMs: 0,
        regimes: [],
        stalls: [],
        crashes: [],
        lanes: [
          { class: 'live', callers: 11, batchShare: 0, pauseMs: 0 },
          { class: 'live', callers: 2, batchShare: 0, pauseMs: 0 },
        ],
      },
    ],
    serverMs: { min: 20, max: 27 },
    itemMs: { min: 0, max: 0 },
    otherApp: { perMinute: 0, lump: 1 },
    restores: [],
  },
][0];
console.log(play(s));
