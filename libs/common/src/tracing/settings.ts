// Where traces go, by OpenTelemetry's own variable names, so that what people know of other services holds here too. What is
// not listed (OTEL_BSP_*, OTEL_SPAN_*_LIMIT) is read by the SDK itself.
import { choice, secret, text, url, type Values } from '../config/index.js';

export const tracingSettings = {
  // OpenTelemetry's default is otlp: here nothing leaves the process unless somebody asks for it.
  tracesExporter: choice('OTEL_TRACES_EXPORTER', {
    doc: 'Where traces of changes go: nowhere, or by OTLP over HTTP to OTEL_EXPORTER_OTLP_ENDPOINT.',
    options: ['none', 'otlp'],
    default: 'none',
  }),
  otlpEndpoint: url('OTEL_EXPORTER_OTLP_ENDPOINT', {
    doc: 'The collector of traces; /v1/traces is added.',
    protocols: ['http:', 'https:'],
    default: 'http://127.0.0.1:4318',
  }),
  otlpHeaders: secret('OTEL_EXPORTER_OTLP_HEADERS', {
    doc: 'Headers for the collector, often a key.',
    unit: 'name=value, comma-separated',
    optional: true,
  }),
  tracesSampler: choice('OTEL_TRACES_SAMPLER', {
    doc: 'Which changes are traced. A change is traced whole or not at all: the door decides, everybody follows.',
    options: ['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'],
    default: 'parentbased_always_on',
  }),
  tracesSamplerArg: text('OTEL_TRACES_SAMPLER_ARG', {
    doc: 'Share of changes that parentbased_traceidratio traces.',
    unit: '0 to 1',
    default: '1',
    pattern: /^(0(\.\d+)?|1(\.0+)?)$/,
  }),
};

export type TracingSettings = Values<typeof tracingSettings>;
