// Kafka as this system uses it: publish events, receive decoded batches in Nest handlers, read topics again.
// Promises: acknowledged means durable; a committed batch was handled; an unreadable record never stops a partition.
// Refuses: transactions (they cannot cover an HTTP call) and anything per record on the hot path.
export { BATCHES, BatchContext, BatchServer, RecordRejected } from './batch-server.js';
export type { BatchPlace, BatchServerOptions } from './batch-server.js';
export type { ConsumerPlaces } from './group-places.js';
export { DeadLetters } from './dead-letters.js';
export { KafkaClient } from './kafka-client.js';
export type { KafkaOptions, KafkaSurroundings } from './kafka-client.js';
export { KafkajsLog } from './kafkajs-log.js';
export { credentialsOf } from './credentials.js';
export { KafkaModule } from './kafka-module.js';
export { EventProducer, ProducerFull } from './producer.js';
export type { EventRecord } from './producer.js';
export type { ReceivedRecord, RecordBatch } from './received.js';
export { TopicReader } from './topic-reader.js';
export type { Progress } from './topic-reader.js';
export { GroupLag } from './group-lag.js';
export type { PartitionLag } from './group-lag.js';
export { InvalidEvent, MemorySchemas, RegistrySchemas, ValueCodec } from './schemas.js';
export { MemoryLog } from './memory-log.js';
export type { LogClient } from './port.js';
export { guardIdleTimers } from './timer-guard.js';
