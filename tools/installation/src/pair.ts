// Two companies and the sync between them, as every tool needs them: both connected in an organization of their own.
import type { Installation } from './installation.js';

export interface ConnectedPair {
  source: string;
  target: string;
  organizationId: string;
  syncId: string;
}

/** @param clientId of our app (`Installation.ourApp`), which both companies grant access to */
export async function connectPair(
  { control, emulator }: Pick<Installation, 'control' | 'emulator'>,
  clientId: string,
  { source, target, organization = source }: { source: string; target: string; organization?: string },
): Promise<ConnectedPair> {
  const { id: organizationId } = await control.createOrganization(organization);
  for (const realmId of [source, target])
    await control.connectCompany(organizationId, realmId, await emulator.grant(clientId, realmId));
  const { id: syncId } = await control.createSync(source, target);
  return { source, target, organizationId, syncId };
}
