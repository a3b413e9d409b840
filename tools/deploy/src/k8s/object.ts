// A Kubernetes object as data, and what every check asks of one.
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a manifest's body has as many forms as there are kinds
  [part: string]: any;
}

export function nameOf(object: KubernetesObject): string {
  return `${object.kind}/${object.metadata.name}`;
}
