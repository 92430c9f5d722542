// A browser's globals for libraries written for browsers, from jsdom: its XMLHttpRequest makes real TLS connections.
// The page is one of the server's own, so that requests are same-origin, as in the desktop.
const { JSDOM, VirtualConsole } = require("jsdom");

exports.open = function (url) {
  const quiet = new VirtualConsole();
  quiet.on("jsdomError", (error) => process.stderr.write(`${error.message}\n`));
  const { window } = new JSDOM("<!doctype html>", { url: new URL("/", url).href, virtualConsole: quiet });
  const names = ["document", "DOMParser", "XMLSerializer", "XMLHttpRequest", "sessionStorage"];
  for (const name of names) globalThis[name] = window[name];
  globalThis.window = window;
  return window;
};
