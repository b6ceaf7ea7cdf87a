/** `npx vite --config vite.fake.config.ts`: the console on a made-up robot, to look at single pictures. */

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: { "@farhand/client": new URL("dev/fake_client.ts", import.meta.url).pathname },
  },
});
