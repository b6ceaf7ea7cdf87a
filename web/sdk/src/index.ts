/** `@farhand/client`: see and drive robots from a browser. */

export { withheldFeatures } from "./capabilities.ts";
export { connect } from "./client.ts";
export { axisOf, DEFAULT_KEY_MAP } from "./input_layout.ts";
export { CODES, type Code } from "./protocol.gen.ts";
export type * from "./types.ts";
