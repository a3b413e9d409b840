// Reads multipart/form-data as forgivingly as QBO's upload does: real clients send bare LF, leading newlines, spaces
// before semicolons, base64 parts, a wrong or missing boundary parameter and bodies that just end. Nothing here throws.

export interface Part {
  name: string;
  filename?: string;
  contentType?: string;
  content: Buffer;
}

const cr = 13;
const lf = 10;
const dash = 45;

export function parseMultipart(contentType: string, body: Buffer): Part[] {
  const boundary = boundaryParameter(contentType) ?? firstLineBoundary(body);
  if (boundary === undefined) return [];
  let marks = delimiters(body, boundary);
  // A proxy or a client may name one boundary in the header and write another.
  if (marks.length === 0) {
    const written = firstLineBoundary(body);
    marks = written === undefined ? [] : delimiters(body, written);
  }
  const parts: Part[] = [];
  marks.forEach((mark, n) => {
    if (mark.closing) return;
    const next = marks[n + 1];
    const part = readPart(body.subarray(mark.end, next ? next.start : body.length));
    if (part) parts.push(part);
  });
  return parts;
}

function boundaryParameter(contentType: string): string | undefined {
  const match = /boundary\s*=\s*(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

function firstLineBoundary(body: Buffer): string | undefined {
  let start = 0;
  while (body[start] === cr || body[start] === lf) start++;
  if (body[start] !== dash || body[start + 1] !== dash) return undefined;
  let end = start;
  while (end < body.length && end - start < 300 && body[end] !== cr && body[end] !== lf) end++;
  const line = body.toString('latin1', start + 2, end).trimEnd();
  return line === '' ? undefined : line;
}

interface Delimiter {
  /** Where the content before it ends: before the line break that belongs to the delimiter. */
  start: number;
  end: number;
  closing: boolean;
}

/** Every "--boundary" that stands at the start of a line and is followed by nothing but "--", blanks and a line break. */
function delimiters(body: Buffer, boundary: string): Delimiter[] {
  const found: Delimiter[] = [];
  // How the first delimiter's line ends tells how this client ends all of them: content that ends in a CR stays whole.
  let framedByCrLf = true;
  const needle = Buffer.from(`--${boundary}`, 'latin1');
  for (let at = body.indexOf(needle); at >= 0; at = body.indexOf(needle, at + 1)) {
    if (at > 0 && body[at - 1] !== lf) continue;
    let end = at + needle.length;
    const closing = body[end] === dash && body[end + 1] === dash;
    if (closing) end += 2;
    while (body[end] === 32 || body[end] === 9) end++;
    if (found.length === 0) framedByCrLf = body[end] === cr;
    if (body[end] === cr) end++;
    if (body[end] === lf) end++;
    else if (end < body.length && !closing) continue; // A longer boundary that begins with this one.
    let start = at;
    if (start > 0) start -= framedByCrLf && body[start - 2] === cr && start > 1 ? 2 : 1;
    const previous = found.at(-1);
    found.push({ start: Math.max(start, previous?.end ?? 0), end, closing });
    if (closing) break;
  }
  return found;
}

function readPart(raw: Buffer): Part | undefined {
  const { headers, content } = splitHead(raw);
  const disposition = headers.get('content-disposition');
  if (disposition === undefined && headers.size === 0 && content.length === 0) return undefined;
  const encoding = headers.get('content-transfer-encoding')?.trim().toLowerCase();
  return {
    name: parameter(disposition ?? '', 'name') ?? '',
    filename: parameter(disposition ?? '', 'filename'),
    contentType: headers.get('content-type')?.trim(),
    content: encoding === 'base64' ? Buffer.from(content.toString('latin1'), 'base64') : content,
  };
}

function splitHead(raw: Buffer): { headers: Map<string, string>; content: Buffer } {
  const headers = new Map<string, string>();
  let at = 0;
  let last: string | undefined;
  while (at < raw.length) {
    const lineEnd = raw.indexOf(lf, at);
    const end = lineEnd < 0 ? raw.length : lineEnd;
    const line = raw.toString('utf8', at, end).replace(/\r$/, '');
    const next = lineEnd < 0 ? raw.length : lineEnd + 1;
    if (line.trim() === '') return { headers, content: raw.subarray(next) };
    const header = /^([A-Za-z0-9-]+)\s*:\s*(.*)$/.exec(line);
    if (header) headers.set((last = header[1]!.toLowerCase()), header[2]!);
    else if (last !== undefined && /^\s/.test(line)) headers.set(last, `${headers.get(last)} ${line.trim()}`);
    else return { headers, content: raw.subarray(at) }; // The blank line is missing: what is no header is content.
    at = next;
  }
  return { headers, content: raw.subarray(raw.length) };
}

function parameter(disposition: string, name: string): string | undefined {
  const extended = new RegExp(`(?:^|[;\\s])${name}\\*\\s*=\\s*([\\w-]*)'[^']*'([^;\\s]+)`, 'i').exec(disposition);
  if (extended) {
    try {
      return decodeURIComponent(extended[2]!);
    } catch {
      // Not percent-encoded after all: the plain form below decides.
    }
  }
  const plain = new RegExp(`(?:^|[;\\s])${name}\\s*=\\s*(?:"((?:\\\\.|[^"\\\\])*)"|([^;\\s]+))`, 'i').exec(disposition);
  if (!plain) return undefined;
  // Only a quote is unescaped: browsers send Windows paths and lone backslashes as they are.
  return plain[1] === undefined ? plain[2] : plain[1].replace(/\\"/g, '"');
}

export interface Upload {
  /** The suffix that pairs the parts: "0", "01", "5c665_092e2". */
  key: string;
  metadata?: Part;
  content?: Part;
}

/** Pairs file_metadata_<key> with file_content_<key>, in the order of first appearance. */
export function pairUploads(parts: readonly Part[]): Upload[] {
  const uploads = new Map<string, Upload>();
  const at = (key: string): Upload => {
    let upload = uploads.get(key);
    if (!upload) uploads.set(key, (upload = { key }));
    return upload;
  };
  for (const part of parts) {
    const metadata = /^file_metadata_?(.*)$/i.exec(part.name);
    const content = /^file_content_?(.*)$/i.exec(part.name);
    if (metadata) at(metadata[1]!).metadata = part;
    else if (content || part.filename !== undefined) at(content?.[1] ?? part.name).content = part;
  }
  const all = [...uploads.values()];
  // One of each under different suffixes can only belong together.
  const [first, second] = all;
  if (
    all.length === 2 &&
    Boolean(first!.metadata) !== Boolean(second!.metadata) &&
    Boolean(first!.content) !== Boolean(second!.content)
  ) {
    return [
      { key: first!.key, metadata: first!.metadata ?? second!.metadata, content: first!.content ?? second!.content },
    ];
  }
  return all;
}
