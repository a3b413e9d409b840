// A multipart upload as a stream: the file never stands in memory as a whole. The boundary follows from the request id, so
// the same upload sent again is the same bytes.
import { createHash } from 'node:crypto';

export interface UploadParts {
  readonly requestId: string;
  /** the Attachable object, as JSON text */
  readonly metadata: string;
  readonly content: AsyncIterable<Buffer>;
  readonly fileName: string;
  readonly contentType: string;
  /** bytes of the content, when known: then the request carries a Content-Length, which QBO can insist on (6020) */
  readonly size?: number | undefined;
}

export interface MultipartBody {
  readonly contentType: string;
  readonly contentLength: number | undefined;
  readonly body: AsyncIterable<Buffer>;
}

export function multipartBody(parts: UploadParts): MultipartBody {
  const boundary = `part-${createHash('sha256').update(parts.requestId).digest('hex').slice(0, 32)}`;
  const head = Buffer.from(
    `--${boundary}\r\n` +
      'Content-Disposition: form-data; name="file_metadata_0"\r\n' +
      'Content-Type: application/json; charset=UTF-8\r\n\r\n' +
      `${parts.metadata}\r\n` +
      `--${boundary}\r\n` +
      `Content-Disposition: form-data; name="file_content_0"; filename="${headerSafe(parts.fileName)}"\r\n` +
      `Content-Type: ${headerSafe(parts.contentType)}\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength: parts.size === undefined ? undefined : head.length + parts.size + tail.length,
    body: joined(head, parts.content, tail),
  };
}

async function* joined(head: Buffer, content: AsyncIterable<Buffer>, tail: Buffer): AsyncGenerator<Buffer> {
  yield head;
  yield* content;
  yield tail;
}

// A file name is a stranger's text inside a header: line ends and quotes would end the header early.
function headerSafe(text: string): string {
  return text.replace(/[\r\n]/g, ' ').replace(/"/g, '%22');
}
