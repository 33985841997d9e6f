// Microsoft's own JavaScript SDKs against the mock, unchanged but for its address. Prints one line for each thing shown.
//
// Arguments: base address, tenant id, client id, client secret, object id of a user, file of a certificate with its key.
// The folder that holds the SDKs is named by SDK_FOLDER: modules are looked for beside the script otherwise.

import { createRequire } from "node:module";
import assert from "node:assert/strict";

const require = createRequire(`${process.env.SDK_FOLDER}/`);
const { ClientCertificateCredential, ClientSecretCredential, AuthenticationRequiredError } = require("@azure/identity");
const { Client, GraphError, PageIterator, BatchRequestContent, BatchResponseContent } = require(
  "@microsoft/microsoft-graph-client",
);
const { TokenCredentialAuthenticationProvider } = require(
  "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials",
);

const [base, tenant, clientId, secret, victim, certificatePath] = process.argv.slice(2);
const scopes = ["https://graph.microsoft.com/.default"];
const authority = { authorityHost: base, disableInstanceDiscovery: true };
const credential = (secret) => new ClientSecretCredential(tenant, clientId, secret, authority);
const graph = Client.initWithMiddleware({
  baseUrl: base,
  customHosts: new Set([new URL(base).hostname]),
  authProvider: new TokenCredentialAuthenticationProvider(credential(secret), { scopes }),
});

const user = await graph.api(`/users/${victim}`).get();
assert.equal(user.id, victim);
console.log("signs in and reads");

const page = await graph.api("/users").top(10).select("id").get();
assert.equal(page.value.length, 10);
const seen = new Set();
await new PageIterator(graph, page, (one) => seen.add(one.id) && true).iterate();
assert.ok(seen.size > 20, `${seen.size}`);
console.log("follows pages");

await graph.api(`/users/${victim}`).patch({ accountEnabled: false });
assert.equal((await graph.api(`/users/${victim}`).select("accountEnabled").get()).accountEnabled, false);
console.log("writes");

const made = await graph.api("/identity/conditionalAccess/namedLocations").post({
  "@odata.type": "#microsoft.graph.ipNamedLocation",
  displayName: "from the SDK",
  isTrusted: false,
  ipRanges: [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", cidrAddress: "198.51.100.0/24" }],
});
assert.equal(made.ipRanges[0].cidrAddress, "198.51.100.0/24");
console.log("creates, by derived types");

// The SDK takes the host off and leaves the rest, so that the version must not be there.
const step = (id, path) => ({ id, request: new Request(`${base}${path}`, { method: "GET" }) });
const content = await new BatchRequestContent([
  step("0", `/users/${victim}`),
  step("1", "/users/nobody"),
]).getContent();
const answers = new BatchResponseContent(await graph.api("/$batch").post(content));
assert.equal(answers.getResponseById("0").status, 200);
assert.equal(answers.getResponseById("1").status, 404);
console.log("batches");

assert.ok((await graph.api("/domains").get()).value.length);
console.log("waits when throttled");

await assert.rejects(graph.api("/users/nobody@contoso.com").get(), (error) => {
  assert.ok(error instanceof GraphError);
  assert.equal(error.statusCode, 404);
  assert.equal(error.code, "Request_ResourceNotFound");
  assert.ok(error.requestId);
  return true;
});
console.log("gets its own error type from Graph");

const byCertificate = new ClientCertificateCredential(tenant, clientId, { certificatePath }, authority);
assert.ok((await byCertificate.getToken(scopes)).token);
console.log("signs in by certificate");

await assert.rejects(credential("wrong").getToken(scopes), (error) => {
  assert.ok(error instanceof AuthenticationRequiredError, `${error}`);
  assert.match(error.message, /AADSTS7000215/);
  return true;
});
console.log("gets its own error type from the token endpoint");
