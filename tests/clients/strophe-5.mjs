// Strophe 5, today's. Its Node build brings its own XML; only XMLHttpRequest is a browser's. Usage: node strophe-5.mjs URL JID PASSWORD
import { createRequire } from "node:module";
import { $pres, Strophe } from "strophe-5";

const require = createRequire(import.meta.url);
const { JSDOM } = require("jsdom");
const { run } = require("./session.cjs");

const parameters = process.argv.slice(2);
globalThis.XMLHttpRequest = new JSDOM("", { url: new URL("/", parameters[0]).href }).window.XMLHttpRequest;
run({ Strophe, $pres }, "5.0.0", parameters);
