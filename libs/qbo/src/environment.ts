// Where QuickBooks Online is. One setting (SYNC_QBO_ENVIRONMENT) chooses Intuit's sandbox, production, or an address where
// something speaks their language; nothing else in the code knows the difference.

export interface QboEnvironment {
  readonly name: 'sandbox' | 'production' | 'address';
  /** origin of the accounting API, without a slash at the end */
  readonly apiBase: string;
  readonly authorizeEndpoint: string;
  readonly tokenEndpoint: string;
  readonly revokeEndpoint: string;
  readonly userInfoEndpoint: string;
  readonly jwksUri: string;
}

const intuit = {
  authorizeEndpoint: 'https://appcenter.intuit.com/connect/oauth2',
  tokenEndpoint: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
  revokeEndpoint: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
  jwksUri: 'https://oauth.platform.intuit.com/op/v1/jwks',
};

/** @throws RangeError when the text is neither a name nor an http(s) address */
export function qboEnvironment(setting: string): QboEnvironment {
  if (setting === 'production') {
    return {
      name: 'production',
      apiBase: 'https://quickbooks.api.intuit.com',
      userInfoEndpoint: 'https://accounts.platform.intuit.com/v1/openid_connect/userinfo',
      ...intuit,
    };
  }
  if (setting === 'sandbox') {
    return {
      name: 'sandbox',
      apiBase: 'https://sandbox-quickbooks.api.intuit.com',
      userInfoEndpoint: 'https://sandbox-accounts.platform.intuit.com/v1/openid_connect/userinfo',
      ...intuit,
    };
  }
  const address = URL.canParse(setting) ? new URL(setting) : undefined;
  if (!address || !/^https?:$/.test(address.protocol)) {
    throw new RangeError(`"${setting}" is not a QBO environment; expected sandbox, production or an http(s) address`);
  }
  const base = address.href.replace(/\/+$/, '');
  return {
    name: 'address',
    apiBase: base,
    authorizeEndpoint: `${base}/connect/oauth2`,
    tokenEndpoint: `${base}/oauth2/v1/tokens/bearer`,
    revokeEndpoint: `${base}/v2/oauth2/tokens/revoke`,
    userInfoEndpoint: `${base}/v1/openid_connect/userinfo`,
    jwksUri: `${base}/op/v1/jwks`,
  };
}
