// Uploads as real clients send them, malformed ones included.
import fc from 'fast-check';
import { pairUploads, parseMultipart } from './index.js';

const form = (lines: string[], newline = '\r\n'): Buffer => Buffer.from(lines.join(newline), 'latin1');
const type = 'multipart/form-data; boundary=XyZ';
const metadata = [
  '--XyZ',
  'Content-Disposition: form-data; name="file_metadata_0"; filename="m.json"',
  'Content-Type: application/json',
  '',
  '{"FileName":"a.txt"}',
];
const content = [
  '--XyZ',
  'Content-Disposition: form-data; name="file_content_0"; filename="a.txt"',
  'Content-Type: text/plain',
  '',
  'hello',
];
const read = (body: Buffer, contentType = type): [string, string | undefined, string][] =>
  parseMultipart(contentType, body).map((part) => [part.name, part.filename, part.content.toString('latin1')]);
const both = [
  ['file_metadata_0', 'm.json', '{"FileName":"a.txt"}'],
  ['file_content_0', 'a.txt', 'hello'],
];

const forms: [string, Buffer, string?][] = [
  ['the correct form', form([...metadata, ...content, '--XyZ--', ''])],
  ['LF instead of CRLF', form([...metadata, ...content, '--XyZ--', ''], '\n')],
  ['a leading newline', form(['', ...metadata, ...content, '--XyZ--', ''])],
  ['no closing boundary: content runs to the end', form([...metadata, ...content])],
  ['a preamble and an epilogue', form(['hi', ...metadata, ...content, '--XyZ--', 'bye'])],
  [
    'a quoted boundary',
    form([...metadata, ...content, '--XyZ--', '']),
    'multipart/form-data; boundary="XyZ"; charset=utf-8',
  ],
  ['no boundary parameter', form([...metadata, ...content, '--XyZ--', '']), 'multipart/form-data'],
  [
    'another boundary than the header says',
    form([...metadata, ...content, '--XyZ--', '']),
    'multipart/form-data; boundary=other',
  ],
  [
    'blanks after the boundary',
    form([...metadata, ...content, '--XyZ--  ', ''].map((line) => (line === '--XyZ' ? '--XyZ  ' : line))),
  ],
];
it.each(forms.map(([title, body, contentType]) => ({ title, body, contentType })))(
  '$title',
  ({ body, contentType }) => {
    expect(read(body, contentType)).toEqual(both);
  },
);

it('reads the content part alone, with a space before the semicolon and without quotes', () => {
  const body = form([
    '--XyZ',
    'content-disposition: form-data; name="file_content_01" ; filename=a b.txt',
    '',
    'x',
    '--XyZ--',
  ]);
  expect(read(body)).toEqual([['file_content_01', 'a', 'x']]);
});

it('decodes a base64 part and an extended file name', () => {
  const body = form([
    '--XyZ',
    'Content-Disposition: form-data; name="file_content_0"; filename="x"; filename*=UTF-8\'\'na%C3%AFve.pdf',
    'Content-Transfer-Encoding: base64',
    '',
    'aGVsbG8=',
    '--XyZ--',
  ]);
  expect(read(body)).toEqual([['file_content_0', 'naïve.pdf', 'hello']]);
});

it('keeps a line of content that only begins like the boundary', () => {
  const body = form([
    '--XyZ',
    'Content-Disposition: form-data; name="c"; filename="f"',
    '',
    'a',
    '--XyZW',
    'b',
    '--XyZ--',
  ]);
  expect(read(body)[0]![2]).toBe('a\r\n--XyZW\r\nb');
});

it('gives back any bytes unchanged', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('\r\n', '\n'), (bytes, newline) => {
      const head = form(
        ['--Bq7', 'Content-Disposition: form-data; name="file_content_0"; filename="f.bin"', '', ''],
        newline,
      );
      const body = Buffer.concat([head, bytes, Buffer.from(`${newline}--Bq7--${newline}`)]);
      expect([...parseMultipart('multipart/form-data; boundary=Bq7', body)[0]!.content]).toEqual([...bytes]);
    }),
  );
});

it('answers something for any bytes under any content type', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ maxLength: 40 }), (bytes, contentType) => {
      expect(Array.isArray(parseMultipart(contentType, Buffer.from(bytes)))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

it('pairs metadata and content by their suffix, whatever it looks like, and lone ones with each other', () => {
  const part = (name: string): { name: string; content: Buffer; filename: string } => ({
    name,
    content: Buffer.from(name),
    filename: 'f',
  });
  const names = (list: string[]): unknown =>
    pairUploads(list.map(part)).map(({ metadata, content }) => [metadata?.name, content?.name]);
  expect(names(['file_metadata_5c665_092e2', 'file_content_5c665_092e2'])).toEqual([
    ['file_metadata_5c665_092e2', 'file_content_5c665_092e2'],
  ]);
  expect(names(['file_content_0', 'file_metadata_1', 'file_content_1'])).toEqual([
    [undefined, 'file_content_0'],
    ['file_metadata_1', 'file_content_1'],
  ]);
  expect(names(['file_metadata_0', 'file_content_01'])).toEqual([['file_metadata_0', 'file_content_01']]);
});
