// A browser's globals for libraries written for browsers, from jsdom: its XMLHttpRequest and WebSocket make real TLS
// connections. The page is one of the server's own, so that requests are same-origin, as in the desktop.
const { JSDOM, VirtualConsole } = require("jsdom");

exports.open = function (url) {
  const quiet = new VirtualConsole();
  quiet.on("jsdomError", (error) => process.stderr.write(`${error.message}\n`));
  const page = new URL("/", url.replace(/^ws/, "http")).href;
  const { window } = new JSDOM("<!doctype html>", { url: page, virtualConsole: quiet });
  const names = ["document", "DOMParser", "XMLSerializer", "XMLHttpRequest", "WebSocket", "sessionStorage"];
  for (const name of names) globalThis[name] = window[name];
  globalThis.window = window;
  return window;
};
