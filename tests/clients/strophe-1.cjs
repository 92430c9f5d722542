// Strophe 1.2.16, the generation that gadgets of the Finesse years were built with. Usage: node strophe-1.cjs URL JID PASSWORD
const browser = require("./browser.cjs");
const { run } = require("./session.cjs");

const parameters = process.argv.slice(2);
browser.open(parameters[0]);
const strophe = require("strophe-1");
run({ Strophe: strophe.Strophe, $pres: strophe.$pres }, "1.2.16", parameters);
