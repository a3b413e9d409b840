// A sender as a process of its own, to be killed: its plan comes by the environment.
import { send, type SenderPlan } from './sender.js';

process.stdout.write('sending\n');
await send(JSON.parse(process.env.BENCH_SENDER ?? '{}') as SenderPlan);
