// Credentials, sealed so that the hub that passes them on cannot read them.
//
// libsodium's crypto_box_seal to the X25519 form of a connector's Ed25519 identity key: what
// src/wire opens with crypto_box_seal_open. A key is taken for a connector's only when the
// connector's id is its hash (src/wire/identity.c), so that a wrong key cannot be slipped in under a
// connector's name.

import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { blake2b } from "@noble/hashes/blake2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { Problem } from "./api";
import type { Connector } from "./types";

const KEY_BYTES = 32;
const NONCE_BYTES = 24;
const ID_DIGITS = 32;
const MAX_MESSAGE = 98_304; // CREDENTIALS_MAX_BYTES of src/wire/credentials.h

// "expand 32-byte k" (Salsa20 specification, section 9), as the words that hsalsa() takes.
const SIGMA = new Uint32Array([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]);

const wordsOf = (bytes: Uint8Array) => {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4, true));
};

function bytesOf(words: Uint32Array): Uint8Array {
	const bytes = new Uint8Array(words.length * 4);
	const view = new DataView(bytes.buffer);
	words.forEach((word, i) => view.setUint32(i * 4, word, true));
	return bytes;
}

function fromBase64Url(text: string): Uint8Array {
	const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, ""));
	return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function toBase64Url(bytes: Uint8Array): string {
	let text = "";
	for (const byte of bytes) text += String.fromCharCode(byte);
	return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// crypto_box_seal(3): the ephemeral public key, then the box under the nonce that both keys give.
// `secret` is the ephemeral key, and random but in the test of known answers.
export function sealTo(
	key: Uint8Array,
	message: Uint8Array,
	secret = x25519.utils.randomSecretKey(),
): Uint8Array {
	const to = ed25519.utils.toMontgomery(key);
	const from = x25519.getPublicKey(secret);
	const nonce = blake2b(new Uint8Array([...from, ...to]), { dkLen: NONCE_BYTES });
	const shared = new Uint32Array(KEY_BYTES / 4);
	hsalsa(SIGMA, wordsOf(x25519.getSharedSecret(secret, to)), new Uint32Array(4), shared);
	const boxKey = bytesOf(shared);
	const box = xsalsa20poly1305(boxKey, nonce).encrypt(message);
	secret.fill(0);
	boxKey.fill(0);
	shared.fill(0);
	const sealed = new Uint8Array(from.length + box.length);
	sealed.set(from);
	sealed.set(box, from.length);
	return sealed;
}

// The connector's key, which its id proves.
export function keyOf(connector: Pick<Connector, "id" | "name" | "key">): Uint8Array {
	let key: Uint8Array = new Uint8Array(0);
	try {
		key = fromBase64Url(connector.key);
	} catch {
		// not base64url: no key of the right length either
	}
	if (key.length !== KEY_BYTES || hex(sha256(key)).slice(0, ID_DIGITS) !== connector.id)
		throw new Problem(
			-1,
			`The key that the hub gives for the connector ${connector.name || connector.id} is not its own.`,
			"Nothing was sent. Tell an administrator of the hub: its id is not the hash of its key.",
		);
	return key;
}

// What src/connector reads of a sealed box.
export interface Credentials {
	user: string;
	password?: string;
	key?: string; // OpenSSH or PEM
	passphrase?: string;
	sudo_password?: string;
}

// One box for each connector of a location. The list goes into the box too: a connector hands these
// credentials to no other host, and to no other port.
export function sealCredentials(
	connectors: Pick<Connector, "id" | "name" | "key">[],
	{ hosts, port }: { hosts: string; port: number },
	credentials: Credentials,
): Record<string, string> {
	const keys = connectors.map((connector) => [connector.id, keyOf(connector)] as const);
	const message = new TextEncoder().encode(JSON.stringify({ v: 1, hosts, port, ...credentials }));
	if (message.length > MAX_MESSAGE)
		throw new Problem(-1, "List and key together are too long.", "Make two of the list.");
	const boxes = keys.map(([id, key]) => [id, toBase64Url(sealTo(key, message))] as const);
	message.fill(0);
	return Object.fromEntries(boxes);
}
