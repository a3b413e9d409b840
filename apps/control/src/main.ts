// The admin API: organizations, companies, syncs, jobs, mappings.
import { runService } from '#common/lifecycle';
import { ControlModule, controlSettings } from './control.module.js';

void runService({ name: 'control', config: controlSettings, module: (config) => ControlModule.forRoot(config) });
