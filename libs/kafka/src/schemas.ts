// Values on the wire: Confluent framing (byte 0, schema id in 4 bytes, JSON). Encoding validates against our schema;
// decoding validates against the schema the record was written with. Both are synchronous once the schema is known: the
// registry is asked once per id, never per record (measured: parse + compiled validator 1.29 of JSON.parse, the
// registry client's own asynchronous decode 1.38, before its promise per record).
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import type { ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import type { JsonSchema } from '#contracts';
import { topicNamed, valueSchemas } from '#contracts';

const frameBytes = 5;

/** A value that may not be published: a bug of the publisher, or a record too large for its topic. */
export class InvalidEvent extends Error {
  constructor(topic: string, problem: string) {
    super(`value for ${topic} cannot be published: ${problem}`);
    this.name = 'InvalidEvent';
  }
}

export type DecodeFailure = { code: DecodeFailureCode; message: string };
export type DecodeFailureCode =
  | 'VALUE.NOT_FRAMED'
  | 'VALUE.SCHEMA_UNKNOWN'
  | 'VALUE.SCHEMA_OF_ANOTHER_TOPIC'
  | 'VALUE.NOT_JSON'
  | 'VALUE.INVALID'
  | 'HEADERS.INVALID';

/** Where schemas are kept. */
export interface SchemaStore {
  /** Registers (or finds) a schema; answers its id. */
  register(subject: string, schema: JsonSchema): Promise<number>;
  /** undefined: there is no such id. Rejects when the store cannot be asked. */
  find(id: number): Promise<JsonSchema | undefined>;
}

/** A Confluent-compatible registry over HTTP. */
export class RegistrySchemas implements SchemaStore {
  private readonly registry: SchemaRegistry;
  private configured?: Promise<void>;

  constructor(
    private readonly registryUrl: string,
    clientId: string,
  ) {
    this.registry = new SchemaRegistry(
      { host: registryUrl, clientId, retry: { retries: 2 } },
      { [SchemaType.JSON]: ajvOptions },
    );
  }

  async register(subject: string, schema: JsonSchema): Promise<number> {
    const known = await this.known(subject, schema);
    if (known !== undefined) return known;
    // Order matters: the registry-wide level first, then every registration with the same words; the client refuses a
    // subject whose level differs from what it is told.
    this.configured ??= this.configure().catch((error: unknown) => {
      this.configured = undefined;
      throw error;
    });
    await this.configured;
    const { id } = await this.registry.register(
      { type: SchemaType.JSON, schema: JSON.stringify(schema) },
      { subject, compatibility: COMPATIBILITY.BACKWARD_TRANSITIVE },
    );
    return id;
  }

  /** What stands there is found by one question instead of three: every start but the first asks nothing else. */
  private async known(subject: string, schema: JsonSchema): Promise<number | undefined> {
    const answer = await this.ask('POST', `subjects/${encodeURIComponent(subject)}`, {
      schemaType: SchemaType.JSON,
      schema: JSON.stringify(schema),
    });
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw new Error(`schema registry cannot say whether it knows ${subject}: HTTP ${answer.status}`);
    return ((await answer.json()) as { id: number }).id;
  }

  async find(id: number): Promise<JsonSchema | undefined> {
    try {
      const found = await this.registry.getSchema(id);
      // The client keeps the parsed schema only inside its compiled validator (4.1.0, pinned).
      return (found as unknown as { validate: ValidateFunction }).validate.schema as JsonSchema;
    } catch (error) {
      if ((error as { status?: number }).status === 404) return undefined;
      throw error;
    }
  }

  private async configure(): Promise<void> {
    const answer = await this.ask('PUT', 'config', { compatibility: COMPATIBILITY.BACKWARD_TRANSITIVE });
    if (!answer.ok) throw new Error(`schema registry refused its compatibility level: HTTP ${answer.status}`);
  }

  private ask(method: 'POST' | 'PUT', path: string, body: unknown): Promise<Response> {
    return fetch(`${this.registryUrl}/${path}`, {
      method,
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify(body),
    });
  }
}

/** Schemas kept in this process, for tests and tools without a registry. */
export class MemorySchemas implements SchemaStore {
  private readonly byId: JsonSchema[] = [];

  register(_subject: string, schema: JsonSchema): Promise<number> {
    const text = JSON.stringify(schema);
    const known = this.byId.findIndex((other) => JSON.stringify(other) === text);
    return Promise.resolve(known >= 0 ? known + 1 : this.byId.push(schema));
  }

  find(id: number): Promise<JsonSchema | undefined> {
    return Promise.resolve(this.byId[id - 1]);
  }
}

const ajvOptions = { allErrors: false, strict: false, validateFormats: false } as const;

export class ValueCodec {
  private readonly ajv = new Ajv(ajvOptions);
  private readonly writers = new Map<string, { id: number; validate: ValidateFunction }>();
  /** null: the registry says that this id does not exist */
  private readonly readers = new Map<number, ValidateFunction | null>();

  constructor(
    private readonly store: SchemaStore,
    private readonly topicPrefix: string,
  ) {}

  /** Registers every schema of the catalogue. Subjects carry the prefix: two environments on one registry evolve apart. */
  async registerAll(): Promise<void> {
    await Promise.all(
      Object.entries(valueSchemas).map(async ([topic, schema]) => {
        const id = await this.store.register(`${this.topicPrefix}${topic}-value`, schema);
        const validate = this.ajv.compile(schema);
        this.writers.set(topic, { id, validate });
        this.readers.set(id, validate);
      }),
    );
  }

  /** @throws InvalidEvent */
  encode(topic: string, value: unknown): Buffer {
    const writer = this.writers.get(topic);
    if (!writer) throw new InvalidEvent(topic, 'the topic has no registered schema');
    if (!writer.validate(value)) throw new InvalidEvent(topic, problemOf(writer.validate));
    const json = textOf(topic, value);
    const bytes = frameBytes + Buffer.byteLength(json);
    // Refused here, where one record can be put aside; the broker would refuse its whole batch, again and again.
    if (bytes > largestValue(topic)) throw new InvalidEvent(topic, `${bytes} bytes, more than the topic takes`);
    const buffer = Buffer.allocUnsafe(bytes);
    buffer[0] = 0;
    buffer.writeInt32BE(writer.id, 1);
    buffer.write(json, frameBytes);
    return buffer;
  }

  /** Learns the schemas of ids not seen before; after it `decode` knows every id among `values`. */
  async learn(values: readonly (Buffer | null)[]): Promise<void> {
    let unknown: Set<number> | undefined;
    for (const value of values) {
      const id = value === null ? undefined : schemaIdOf(value);
      if (id !== undefined && !this.readers.has(id)) (unknown ??= new Set()).add(id);
    }
    if (!unknown) return;
    for (const id of unknown) {
      const schema = await this.store.find(id);
      this.readers.set(id, schema ? this.ajv.compile(schema) : null);
    }
  }

  /** The value, or why it cannot be had. Ids must have been learnt. */
  decode(topic: string, framed: Buffer): { value: unknown } | { failure: DecodeFailure } {
    const id = schemaIdOf(framed);
    if (id === undefined) return failed('VALUE.NOT_FRAMED', `${framed.length} bytes without the registry's frame`);
    const validate = this.readers.get(id);
    if (!validate) return failed('VALUE.SCHEMA_UNKNOWN', `the registry has no schema ${id}`);
    const title = (validate.schema as JsonSchema).title;
    if (title !== topic) return failed('VALUE.SCHEMA_OF_ANOTHER_TOPIC', `schema ${id} is of ${title}`);
    let value: unknown;
    try {
      value = JSON.parse(framed.toString('utf8', frameBytes));
    } catch (error) {
      return failed('VALUE.NOT_JSON', (error as Error).message);
    }
    return validate(value) ? { value } : failed('VALUE.INVALID', problemOf(validate));
  }
}

/** Key, headers and framing beside the value: ids and a trace, far below this. */
const besideValueBytes = 16 * 1024;
/** Kafka's own default (message.max.bytes), for topics that say nothing. */
const usualMessageBytes = 1_048_588;

function largestValue(topic: string): number {
  return Number(topicNamed(topic)?.config['max.message.bytes'] ?? usualMessageBytes) - besideValueBytes;
}

/** Nested deeper than JSON can be written is no bug of ours and heals by no repetition. */
function textOf(topic: string, value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new InvalidEvent(topic, `cannot be written as JSON: ${(error as Error).message}`);
  }
}

function schemaIdOf(framed: Buffer): number | undefined {
  return framed.length > frameBytes && framed[0] === 0 ? framed.readInt32BE(1) : undefined;
}

function failed(code: DecodeFailureCode, message: string): { failure: DecodeFailure } {
  return { failure: { code, message } };
}

function problemOf(validate: ValidateFunction): string {
  const [error] = validate.errors ?? [];
  return error ? `${error.instancePath || 'value'} ${error.message ?? 'is invalid'}` : 'invalid';
}
