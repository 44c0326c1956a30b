// None of these is a Baseten key, though each looks a little like one.
import { NewAuthenticationProviderFactory } from "./internal.NewAuthenticationProviderFactory";

// Hashed names of built files: a word, a dot, 32 hexadecimal digits.
export const assets = [
  "manifest.5d41402abc4b2a76b9719d911017c592.js",
  "polyfill.7d793037a0760186574b0282f2f435e7.js",
  "vendor01.9e107d9d372bb6826bd81d3542a419d6.css",
];

// The public part of a key: Baseten shows it too.
export const rotated = "b10_dl5j5DmS";

// Another service's keys: the same form behind a mark of their own, or with an owner named.
const litterBox = "lt_r3mBZo1y.gyVR6FCu8qxcc9W6ulcJeJolvIHpuIlP";
const ultravox = { url: "https://api.ultravox.ai", ULTRAVOX_API_KEY: "r31cYAoi.FNgxp4lcRyx7g9a5d11BoMEspLFkOYmi" };

// A token in three parts, a number and a sequence.
const session = "eyJhbGci.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFt.SflKxwRJSMeKKF2QT4fwpMeJf36POk6y";
const digits = "27182818.28459045235360287471352662497757";
const sequence = "abcd1234.ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

export default { NewAuthenticationProviderFactory, assets, rotated, litterBox, ultravox, session, digits, sequence };
