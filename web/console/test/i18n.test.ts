import { CODES } from "@farhand/client";
import i18n from "i18next";
import { expect, test } from "vitest";
import en from "../src/i18n/en.json";
import { preferredLanguage } from "../src/i18n/index.ts";
import moreEn from "../src/i18n/more.en.json";
import moreZh from "../src/i18n/more.zh-CN.json";
import zhCN from "../src/i18n/zh-CN.json";

/** `a.b` → text, of all leaves. */
function leaves(value: object, at = ""): Map<string, string> {
  const result = new Map<string, string>();
  for (const [key, entry] of Object.entries(value)) {
    const path = at === "" ? key : `${at}.${key}`;
    if (typeof entry === "string") result.set(path, entry);
    else for (const [inner, text] of leaves(entry, path)) result.set(inner, text);
  }
  return result;
}

const english = leaves({ ...en, ...moreEn });
const chinese = leaves({ ...zhCN, ...moreZh });
const placeholders = (text: string): string[] => (text.match(/\{\{\w+\}\}/g) ?? []).sort();

test("Chinese has exactly the keys of English", () => {
  expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
});

test("no text is empty, and both languages fill in the same values", () => {
  const banner = "banner.insecureGamepad";
  for (const [key, text] of english) {
    expect(text, key).not.toBe("");
    expect(chinese.get(key), key).not.toBe("");
    if (key !== banner)
      expect(placeholders(chinese.get(key) ?? ""), key).toEqual(placeholders(text));
  }
});

test("no Chinese text was left in English", () => {
  const sameOnPurpose = ["app.name", "stop.key", "hud.unknown"];
  const left = [...english].filter(
    ([key, text]) => chinese.get(key) === text && !sameOnPurpose.includes(key),
  );
  expect(left).toEqual([]);
});

test("STOP is never called an emergency stop", () => {
  expect([...chinese.values()].filter((text) => text.includes("急停"))).toEqual([]);
  expect([...english.values()].filter((text) => /e-stop|kill|abort/i.test(text))).toEqual([]);
});

test("every error code has a sentence in the console", () => {
  const missing = Object.values(CODES).filter((code) => !english.has(`error.${code}`));
  expect(missing).toEqual([]);
});

test("the person's choice comes before the browser's wish", () => {
  expect(preferredLanguage("zh-CN", ["en-GB"])).toBe("zh-CN");
  expect(preferredLanguage(null, ["de", "zh-TW", "en"])).toBe("zh-CN");
  expect(preferredLanguage("xx", ["de"])).toBe("en");
});

test("the page's language follows the choice", async () => {
  await i18n.changeLanguage("zh-CN");
  expect(document.documentElement.lang).toBe("zh-CN");
});
