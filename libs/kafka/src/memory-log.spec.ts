import { describeLogClient } from './contract-suite.js';
import { MemoryLog } from './memory-log.js';

describeLogClient('the log in memory', () => new MemoryLog());
