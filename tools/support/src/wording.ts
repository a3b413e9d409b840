// What of a text may leave the house. Reasons and messages quote records: names, e-mails, amounts. Only words that stand in our
// own documents are kept, so that "Another customer is already using this name" stays readable and who it is does not.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const blank = '…';

/** Every word of the documents in a folder. */
export function vocabularyOf(folder: string): ReadonlySet<string> {
  const words = new Set<string>();
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.md')) continue;
    for (const word of readFileSync(join(folder, file), 'utf8').match(/\p{L}+/gu) ?? []) words.add(word.toLowerCase());
  }
  return words;
}

export function worded(text: string, vocabulary: ReadonlySet<string>): string {
  return (
    text
      // What stands in quotes is somebody's; an address is somebody.
      .replace(/"[^"]*"|“[^”]*”|«[^»]*»|\S+@\S+/g, blank)
      .replace(/[\p{L}\p{N}_]+/gu, (word) =>
        vocabulary.has(word.toLowerCase()) || /^\d{1,3}$/.test(word) ? word : blank,
      )
      .replace(/…(?:[\s.,:/-]*…)+/g, blank)
      .slice(0, 300)
  );
}
