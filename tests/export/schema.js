// What a schema says of files: `node schema.js ANSWER SCHEMA FILE...` writes the errors of each file.
"use strict";
const fs = require("fs");
const { createRequire } = require("module");
const [answer, schema, ...files] = process.argv.slice(2);
const Ajv = createRequire(process.env.VIEWERS + "/")("ajv").default;

const read = (path) => JSON.parse(fs.readFileSync(path, "utf8"));
const validate = new Ajv({ strict: false, allErrors: true }).compile(read(schema));
fs.writeFileSync(
  answer,
  JSON.stringify(files.map((file) => (validate(read(file)) ? [] : validate.errors)))
);
