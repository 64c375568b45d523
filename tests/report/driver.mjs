// Drives Chromium for browser.py: a command of JSON on each line of standard input, an answer of
// JSON on each line of standard output. `node driver.mjs MODULES` has playwright-core in MODULES.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { chromium } = createRequire(`${process.argv[2]}/any.js`)("playwright-core");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});

let page;
let said; // errors and requests of the page that is open

const settled = () => page.waitForSelector("#app[aria-busy=false]", { timeout: 120_000 });

/** What the next frame has drawn is there, and nothing waits to be drawn. */
async function drawn() {
  const frame = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  await frame();
  await settled();
  await frame();
}

const commands = {
  async open({ path, width = 1280, height = 900, scheme = "light" }) {
    if (page) await page.context().close();
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, offline: true });
    page = await context.newPage();
    said = { errors: [], requests: [] };
    page.on("console", (message) => said.errors.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => said.errors.push(String(error)));
    page.on("dialog", (dialog) => said.errors.push(`dialog: ${dialog.message()}`));
    page.on("request", (request) => said.requests.push(request.url()));
    await page.goto(`file://${encodeURI(path)}`);
    await settled();
    await drawn();
  },
  async said() {
    return said;
  },
  async run({ script, argument }) {
    const result = await page.evaluate(new Function("argument", script), argument);
    await drawn();
    return result;
  },
  async click({ selector, x, y, modifiers = [] }) {
    const position = x === undefined ? undefined : { x, y };
    await page.locator(selector).first().click({ position, modifiers });
    await drawn();
  },
  async hover({ selector, x, y }) {
    await page.locator(selector).first().hover({ position: { x, y } });
    await drawn();
  },
  async fill({ selector, text }) {
    await page.fill(selector, text);
    await page.press(selector, "Enter");
    await drawn();
  },
  async press({ keys }) {
    for (const key of keys) await page.keyboard.press(key);
    await drawn();
  },
  async drag({ selector, from, to }) {
    const { x, y, width, height } = await page.locator(selector).boundingBox();
    await page.mouse.move(x + from * width, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + to * width, y + height / 2, { steps: 4 });
    await page.mouse.up();
    await drawn();
  },
  async screenshot({ path, full = true }) {
    await page.screenshot({ path, fullPage: full });
  },
  async media({ media }) {
    await page.emulateMedia({ media });
    await drawn();
  },
  async print() {
    return (await page.pdf()).length;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...options } = JSON.parse(line);
  let answer;
  try {
    answer = { result: (await commands[command](options)) ?? null };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
