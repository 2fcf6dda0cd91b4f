// A real OpenID Connect provider for tests: whoever names themselves is let in; sue, tom and eve are in groups.
//
//   node scripts/oidc.mjs --redirect http://127.0.0.1:8080/api/single-sign-on/done
//
// Prints its issuer once it listens, and ends with its standard input.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Provider } from 'oidc-provider';

const { values } = parseArgs({ options: { redirect: { type: 'string' } } });
const groups = { sue: ['staff', 'telephony'], tom: ['north-desk'], eve: ['staff'] };

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'branchline',
      client_secret: 'a-secret-of-this-test',
      redirect_uris: [values.redirect],
      token_endpoint_auth_method: 'client_secret_post',
    }],
    scopes: ['openid', 'email', 'groups'],
    claims: { openid: ['sub'], email: ['email'], groups: ['groups'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: `id-${id}`, email: `${id}@example.org`, groups: groups[id] ?? [] }) }),
    cookies: { keys: ['only for tests'] },
  });
  server.on('request', provider.callback());
  console.log(`issuer ${issuer}`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
