/** Stands in for `@farhand/client` under `vite.fake.config.ts`; `?fake=<scene>` chooses the picture. */

import type { Client, ClientSnapshot, ConnectOptions, RobotSession } from "../../sdk/src/index.ts";
import { FakeStore, fakeSession } from "./fake_session.ts";
import { robots, scenes } from "./scenes.ts";

export { withheldFeatures } from "../../sdk/src/capabilities.ts";
export { axisOf, DEFAULT_KEY_MAP } from "../../sdk/src/input_layout.ts";
export { CODES } from "../../sdk/src/protocol.gen.ts";

const scene = new URLSearchParams(location.search).get("fake") ?? "viewing";

const realFetch = window.fetch;
window.fetch = (input, init) =>
  String(input).endsWith("v1/robot")
    ? Promise.resolve(Response.json(scene === "empty" ? [] : robots))
    : realFetch(input, init);

export function connect(_options: ConnectOptions): Client {
  const store = new FakeStore<ClientSnapshot>({
    link: { state: "open", retryAt: null, attempt: 0, cause: null },
    memberId: "m-ana",
    notice: null,
  });
  return {
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    openRobot: (): RobotSession => {
      const made = scenes[scene] ?? {};
      const session = fakeSession(made.snapshot);
      if (made.input) session.inputStore.patch(made.input);
      let n = 0;
      setInterval(() => {
        n += 1;
        session.reading = {
          ...session.reading,
          ...made.reading,
          ...(made.loop === undefined
            ? {}
            : { loopMs: made.loop + 9 * Math.sin(n / 5) + 6 * Math.sin(n / 1.7) }),
        };
        session.tick();
      }, 30);
      return session;
    },
    retryNow: () => undefined,
    on: () => () => undefined,
    close: () => undefined,
  };
}
