// Gauges that are asked for at the scrape.
import { ask, gauge, registry } from './index.js';

const plain = gauge({ name: 'spec_plain', help: 'Without labels.' });
const labelled = gauge({ name: 'spec_labelled', help: 'With one.', labelNames: ['of'] as const });

describe('ask', () => {
  it('asks one question for all gauges of a scrape', async () => {
    let questions = 0;
    ask([plain, labelled], async () => {
      questions += 1;
      await Promise.resolve();
      plain.set(7);
      labelled.set({ of: 'a' }, 8);
    });
    const text = await registry.metrics();
    expect(text).toContain('spec_plain 7');
    expect(text).toContain('spec_labelled{of="a"} 8');
    await registry.metrics();
    expect(questions).toBe(1);
  });

  it('shows nothing rather than an old figure when the question fails', async () => {
    plain.set(7);
    labelled.set({ of: 'a' }, 8);
    ask([plain, labelled], () => Promise.reject(new Error('PostgreSQL is away')));
    const text = await registry.metrics();
    expect(text).toMatch(/spec_plain nan/i);
    expect(text).not.toContain('of="a"');
  });
});
