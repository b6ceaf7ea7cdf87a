/** The switch of `farhand demo` that makes its network bad. No other server's pages have it. */

import type { ReactNode } from "react";
import { chunk, Lazy } from "../lazy_page.tsx";

const form = chunk(() => import("./network_form.tsx"));

/** The demo's server says so in the page that it serves. */
const isThere = (): boolean =>
  document.querySelector('meta[name="farhand-demo"]')?.getAttribute("content") === "network";

export function NetworkSwitch(): ReactNode {
  return isThere() ? <Lazy of={form} with={{}} /> : null;
}
