// TypeORM's picture of the configuration tables. They do not leave libs/storage: stores answer plain rows.
// Tables that are written thousands of times a minute have no entity; their SQL stands in their stores.
import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { Json } from '#core';

@Entity({ name: 'organizations' })
export class OrganizationEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') name!: string;
  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' }) createdAt!: Date;
}

@Entity({ name: 'companies' })
export class CompanyEntity {
  @PrimaryColumn('text', { name: 'realm_id' }) realmId!: string;
  @Column('uuid', { name: 'organization_id' }) organizationId!: string;
  @Column('text') name!: string;
  @Column('text', { default: 'connected' }) status!: 'connected' | 'reconnect_needed' | 'disconnected';
  @Column('text', { name: 'status_reason', nullable: true }) statusReason!: string | null;
  @Column('text', { name: 'home_currency', nullable: true }) homeCurrency!: string | null;
  @Column('timestamptz', { name: 'connected_at', default: () => 'now()' }) connectedAt!: Date;
}

@Entity({ name: 'syncs' })
export class SyncEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid', { name: 'organization_id' }) organizationId!: string;
  @Column('text', { name: 'source_realm_id' }) sourceRealmId!: string;
  @Column('text', { name: 'target_realm_id' }) targetRealmId!: string;
  @Column('text', { default: 'active' }) state!: 'active' | 'paused';
  @Column('timestamptz', { name: 'rollback_began_at', nullable: true }) rollbackBeganAt!: Date | null;
  @Column('timestamptz', { name: 'rolled_back_at', nullable: true }) rolledBackAt!: Date | null;
  @Column('jsonb', { default: {} }) settings!: Json;
  @Column('integer', { name: 'settings_version', default: 1 }) settingsVersion!: number;
  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' }) createdAt!: Date;
}

@Entity({ name: 'jobs' })
export class JobEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid', { name: 'organization_id' }) organizationId!: string;
  @Column('uuid', { name: 'sync_id' }) syncId!: string;
  @Column('text') kind!: 'backfill' | 'replay' | 'rollback';
  @Column('text', { default: 'queued' }) state!: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  @Column('jsonb', { default: {} }) params!: Json;
  @Column('jsonb', { default: {} }) progress!: Json;
  @Column('text', { nullable: true }) error!: string | null;
  @Column('text', { nullable: true }) owner!: string | null;
  @Column('timestamptz', { name: 'lease_expires_at', nullable: true }) leaseExpiresAt!: Date | null;
  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' }) createdAt!: Date;
  @Column('timestamptz', { name: 'started_at', nullable: true }) startedAt!: Date | null;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
}

@Entity({ name: 'mapping_layers' })
export class MappingLayerEntity {
  // bigint: a string in JavaScript, chosen by the database
  @PrimaryColumn('bigint', { generated: 'identity' }) id!: string;
  @Column('text') layer!: 'template' | 'organization' | 'sync';
  @Column('uuid', { name: 'organization_id', nullable: true }) organizationId!: string | null;
  @Column('uuid', { name: 'sync_id', nullable: true }) syncId!: string | null;
  @Column('jsonb') rules!: Json;
  @Column('text') author!: string;
  @Column('text') reason!: string;
  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' }) createdAt!: Date;
}

export const configurationEntities = [OrganizationEntity, CompanyEntity, SyncEntity, JobEntity, MappingLayerEntity];
