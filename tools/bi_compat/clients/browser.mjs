// Loads a page in Chromium, waits for what it should show, takes a picture, and prints the text of that.
// Argument: JSON with url, wait (a selector), picture (a path), and login (url, user, password) where there is one.
import { chromium } from "playwright-core";

const order = JSON.parse(process.argv[2]);
const browser = await chromium.launch({
  executablePath: process.env.BI_CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
page.setDefaultTimeout(60_000);
try {
  if (order.login) {
    await page.goto(order.login.url);
    await page.locator("input#username, input[name=username]").first().fill(order.login.user);
    await page.locator("input#password, input[name=password]").first().fill(order.login.password);
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => !url.pathname.startsWith("/login"));
  }
  await page.goto(order.url);
  const shown = page.locator(order.wait).first();
  await shown.waitFor({ state: "visible" });
  await page.waitForTimeout(order.rest ?? 500);
  console.log(JSON.stringify({ text: await shown.textContent() }));
} finally {
  await page.screenshot({ path: order.picture });
  await browser.close();
}
