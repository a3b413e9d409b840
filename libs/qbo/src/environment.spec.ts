// One setting, three places.
import { qboEnvironment } from './environment.js';

it.each([
  ['sandbox', 'https://sandbox-quickbooks.api.intuit.com', 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer'],
  ['production', 'https://quickbooks.api.intuit.com', 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer'],
  ['http://127.0.0.1:8090/', 'http://127.0.0.1:8090', 'http://127.0.0.1:8090/oauth2/v1/tokens/bearer'],
])('%s is found at %s', (setting, apiBase, tokenEndpoint) => {
  expect(qboEnvironment(setting)).toMatchObject({ apiBase, tokenEndpoint });
});

it.each(['', 'prod', 'ftp://127.0.0.1'])('"%s" is no place', (setting) => {
  expect(() => qboEnvironment(setting)).toThrow(RangeError);
});
