// The page on which a person lets an app into a company: plain HTML, one form, no script, so that a test can press its
// buttons as well as a browser.

const page = (title: string, content: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;background:#f4f5f8;color:#393a3d}main{max-width:30rem;margin:10vh auto;background:#fff;padding:2rem;border-radius:8px;box-shadow:0 1px 6px #0002}
h1{font-size:1.3rem}label{display:block;padding:.4rem 0}button{font:inherit;padding:.5rem 1.4rem;border-radius:4px;border:1px solid #2ca01c;background:#2ca01c;color:#fff;cursor:pointer}
button.quiet{background:#fff;color:#393a3d;border-color:#8d9096;margin-left:.5rem}small{color:#6b6c72}</style></head><body><main>${content}</main></body></html>`;

const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

export function consentPage(
  appName: string,
  companies: readonly { realmId: string; name: string }[],
  asked: URLSearchParams,
): string {
  const hidden = [...asked]
    .filter(([name]) => name !== 'realmId' && name !== 'decision')
    .map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`)
    .join('');
  const choices = companies
    .map(
      ({ realmId, name }, n) =>
        `<label><input type="radio" name="realmId" value="${escape(realmId)}"${n === 0 ? ' checked' : ''}> ${escape(name)} <small>${escape(realmId)}</small></label>`,
    )
    .join('');
  const scopes = escape(asked.get('scope') ?? '');
  const content =
    companies.length === 0
      ? '<h1>No company yet</h1><p>Create one first: <code>POST /_emulator/companies</code>.</p>'
      : `<h1>Connect ${escape(appName)} to QuickBooks</h1><p>Which company may it read and change?</p><form method="post" action="/connect/oauth2">${hidden}${choices}
<p><small>Asked for: ${scopes}</small></p><button type="submit" name="decision" value="connect">Connect</button><button class="quiet" type="submit" name="decision" value="deny">Cancel</button></form>`;
  return page('Connect to QuickBooks', content);
}

export const refusalPage = (reason: string): string =>
  page('Sorry', `<h1>Sorry, this app cannot be connected</h1><p>${escape(reason)}</p>`);
