/** What the browser loads, as the built page says: the bundler cuts chunks as it likes. */

import { readFileSync } from "node:fs";

const www = "../../src/farhand/server/www";
const page = readFileSync(new URL(`${www}/index.html`, import.meta.url), "utf8");
const named = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map(([, file]) => file);
const driveView = named.indexOf(named.find((file) => file.startsWith("assets/drive-")));
const paths = (files) => files.map((file) => `${www}/${file}`);

export default [
  {
    name: "first JavaScript",
    path: paths(named.slice(0, driveView)),
    gzip: true,
    limit: "200 kB",
  },
  { name: "drive view on top", path: paths(named.slice(driveView)), gzip: true, limit: "60 kB" },
  { name: "management on top", path: `${www}/assets/admin-*.js`, gzip: true, limit: "80 kB" },
  { name: "QR codes", path: `${www}/assets/qrcode-*.js`, gzip: true, limit: "10 kB" },
];
