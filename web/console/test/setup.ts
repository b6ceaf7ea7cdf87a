import { cleanup } from "@testing-library/react";
import i18n from "i18next";
import { afterEach, beforeEach } from "vitest";
import { startI18n } from "../src/i18n/index.ts";

// As in index.html: addresses do not depend on the page's own.
const base = document.createElement("base");
base.href = "/";
document.head.append(base);
startI18n();
// jsdom draws nothing, and says so at length.
HTMLCanvasElement.prototype.getContext = () => null;

beforeEach(async () => {
  await i18n.changeLanguage("en");
});
afterEach(cleanup);
