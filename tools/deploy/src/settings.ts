// What the apps say can be configured, from deploy/settings.json (written by `npm run env-example`, kept current by its test):
// asking the six processes takes seconds, and checks of manifests should not.
import { readFileSync } from 'node:fs';
import type { SettingDescription } from '#common/config';
import type { AppName } from '../../dev/src/apps.js';

let catalogue: Record<AppName, SettingDescription[]> | undefined;

export function settingsOf(app: AppName): readonly SettingDescription[] {
  catalogue ??= JSON.parse(readFileSync('deploy/settings.json', 'utf8')) as Record<AppName, SettingDescription[]>;
  return catalogue[app];
}
