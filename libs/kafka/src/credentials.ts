// How a process proves to the brokers who it is, and how it knows that they are the brokers.
import { readFile } from 'node:fs/promises';
import type { KafkaConfig } from 'kafkajs';

export interface KafkaCredentials {
  kafkaTls?: boolean | undefined;
  kafkaCaFile?: string | undefined;
  kafkaUser?: string | undefined;
  kafkaPassword?: string | undefined;
}

/** @throws Error when the parts do not fit together or the authority's file cannot be read; waiting will not help */
export async function credentialsOf(o: KafkaCredentials): Promise<Pick<KafkaConfig, 'ssl' | 'sasl'>> {
  const { kafkaTls = false, kafkaCaFile, kafkaUser, kafkaPassword } = o;
  if (kafkaCaFile !== undefined && !kafkaTls)
    throw new Error('SYNC_KAFKA_CA_FILE is set but SYNC_KAFKA_TLS is not true');
  if ((kafkaUser === undefined) !== (kafkaPassword === undefined)) {
    throw new Error('SYNC_KAFKA_USER and SYNC_KAFKA_PASSWORD are set together or not at all');
  }
  return {
    ...(kafkaTls && { ssl: kafkaCaFile === undefined ? true : { ca: [await readFile(kafkaCaFile, 'utf8')] } }),
    // The mechanism that Strimzi's users have; PLAIN would show the password to whoever holds the broker.
    ...(kafkaUser !== undefined && {
      sasl: { mechanism: 'scram-sha-512' as const, username: kafkaUser, password: kafkaPassword! },
    }),
  };
}
