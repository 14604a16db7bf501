// Verifies an envelope with npm's @sigstore/verify: node sigstore_verify.js ENVELOPE PUBLIC_KEY
const fs = require("fs");
const { createPublicKey } = require("crypto");
const { createRequire } = require("module");

const installed = createRequire(process.cwd() + "/");
const { bundleFromJSON } = installed("@sigstore/bundle");
const { Verifier, toSignedEntity, toTrustMaterial } = installed("@sigstore/verify");

const [envelope, pem] = process.argv.slice(2).map((file) => fs.readFileSync(file, "utf8"));
const dsseEnvelope = JSON.parse(envelope);
const hint = dsseEnvelope.signatures[0].keyid;
const bundle = bundleFromJSON({
  mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
  verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
  dsseEnvelope,
});
const roots = { tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] };
const key = { publicKey: createPublicKey(pem), validFor: () => true };
const none = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
new Verifier(toTrustMaterial(roots, () => key), none).verify(toSignedEntity(bundle));
