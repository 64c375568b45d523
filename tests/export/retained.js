// What memlab says of V8 heap snapshots: `node retained.js ANSWER FILE...` writes, of each file, its
// nodes in their order: type, name, id, size, retained size, and how far each is from the root by
// memlab's own path (0: it found none).
"use strict";
const fs = require("fs");
const { createRequire } = require("module");
const [answer, ...files] = process.argv.slice(2);
const { getFullHeapFromFile } = createRequire(process.env.VIEWERS + "/")("@memlab/heap-analysis");

function distance(node) {
  let steps = 0;
  while (node.hasPathEdge) {
    node = node.pathEdge.fromNode;
    steps++;
  }
  return steps;
}

(async () => {
  const found = [];
  for (const file of files) {
    const heap = await getFullHeapFromFile(file);
    const nodes = [];
    heap.nodes.forEach((node) => {
      nodes.push([node.type, node.name, node.id, node.self_size, node.retainedSize, distance(node)]);
    });
    found.push({ nodes, edges: heap.edges.length });
  }
  fs.writeFileSync(answer, JSON.stringify(found));
})();
