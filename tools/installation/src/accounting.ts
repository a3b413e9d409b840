// QuickBooks as any other program would use it: the person's own app, apart from ours. Only what the demo needs.
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmulatorClient, Raw } from '#testing';

export class Accounting {
  constructor(
    private readonly emulator: EmulatorClient,
    readonly realmId: string,
    private readonly accessToken: string,
  ) {}

  /** The books of a company for a program that its person uses. @param clientId of that program */
  static async open(emulator: EmulatorClient, clientId: string, realmId: string): Promise<Accounting> {
    return new Accounting(emulator, realmId, (await emulator.grant(clientId, realmId)).accessToken);
  }

  async query(statement: string): Promise<Raw[]> {
    const answer = await this.call('GET', `query?query=${encodeURIComponent(statement)}`);
    const type = /from (\w+)/i.exec(statement)![1]!;
    return (answer.QueryResponse?.[type] as Raw[] | undefined) ?? [];
  }

  /** The stored record. */
  async write(type: string, record: Raw, operation?: 'delete' | 'void', requestId?: string): Promise<Raw> {
    const query = new URLSearchParams({ ...(operation && { operation }), ...(requestId && { requestid: requestId }) });
    const path = type.toLowerCase() + (query.size > 0 ? `?${query.toString()}` : '');
    return (await this.call('POST', path, record))[type] as Raw;
  }

  /** Creates or updates in batches of 30, in order; answers the stored records. */
  async writeAll(type: string, records: Raw[], operation: 'create' | 'update' = 'create'): Promise<Raw[]> {
    const stored: Raw[] = [];
    for (let at = 0; at < records.length; at += 30) {
      const items = records.slice(at, at + 30).map((record, i) => ({ bId: String(i), operation, [type]: record }));
      const { BatchItemResponse } = await this.call('POST', 'batch', { BatchItemRequest: items });
      for (const item of BatchItemResponse as Raw[]) {
        if (item.Fault) throw new Error(`${operation} of ${type} refused: ${JSON.stringify(item.Fault)}`);
        stored.push(item[type]);
      }
    }
    return stored;
  }

  async attach(to: { type: string; id: string }, fileName: string, content: Buffer, contentType: string): Promise<Raw> {
    const form = new FormData();
    const metadata = {
      AttachableRef: [{ EntityRef: { type: to.type, value: to.id } }],
      FileName: fileName,
      ContentType: contentType,
    };
    form.append(
      'file_metadata_01',
      new Blob([JSON.stringify(metadata)], { type: 'application/json' }),
      'metadata.json',
    );
    form.append('file_content_01', new Blob([new Uint8Array(content)], { type: contentType }), fileName);
    const answer = await this.fetch('upload', { method: 'POST', body: form });
    const first = ((await answer.json()) as Raw).AttachableResponse?.[0];
    if (!first?.Attachable) throw new Error(`upload of ${fileName} refused: ${JSON.stringify(first)}`);
    return first.Attachable as Raw;
  }

  async download(attachableId: string): Promise<Buffer> {
    const address = await (await this.fetch(`download/${attachableId}`, {})).text();
    const file = await fetch(address.trim());
    if (!file.ok) throw new Error(`download of Attachable ${attachableId} answered ${file.status}`);
    return Buffer.from(await file.arrayBuffer());
  }

  private async call(method: string, path: string, body?: unknown): Promise<Raw> {
    const response = await this.fetch(path, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return (await response.json()) as Raw;
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    for (;;) {
      const headers = { ...init.headers, authorization: `Bearer ${this.accessToken}`, accept: 'application/json' };
      const response = await fetch(`${this.emulator.url}/v3/company/${this.realmId}/${path}`, { ...init, headers });
      if (response.status === 429) {
        await sleep(500);
        continue;
      }
      if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`);
      return response;
    }
  }
}
