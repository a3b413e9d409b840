// The circuit of the whole platform as all processes share it: open means that QuickBooks answers nobody and all companies wait.
import { Controller, Get } from '@nestjs/common';
import { GovernorStore } from '#storage';

@Controller('v1/platform')
export class PlatformController {
  constructor(private readonly governor: GovernorStore) {}

  @Get()
  async state() {
    const circuit = await this.governor.platform.read();
    return {
      circuit: circuit.open ? 'open' : 'closed',
      since: circuit.version === 0 ? null : new Date(circuit.sinceMs),
      ...(circuit.open && { nextProbeAt: new Date(circuit.probeAtMs), failedProbes: circuit.failedProbes }),
      ...(!circuit.open && circuit.version > 0 && { allBegunAt: new Date(circuit.sinceMs + circuit.spreadMs) }),
    };
  }
}
