// Fails when the built library, Worker included, is larger than its budget.
import { readdirSync, readFileSync } from "node:fs";
import { exit, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 30_000;
const dist = fileURLToPath(new URL("../dist", import.meta.url));
const files = readdirSync(dist, { recursive: true }).filter((name) => String(name).endsWith(".js"));
let total = 0;
for (const name of files) {
  const bytes = gzipSync(readFileSync(`${dist}/${name}`), { level: 9 }).length;
  total += bytes;
  stdout.write(`${String(bytes).padStart(7)} B gz  ${name}\n`);
}
stdout.write(`${String(total).padStart(7)} B gz  of ${BUDGET_BYTES}\n`);
exit(files.length > 0 && total < BUDGET_BYTES ? 0 : 1);
