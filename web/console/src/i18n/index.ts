/** Languages. The server sends codes; every sentence that a person reads stands in the JSON files here. */

import i18n from "i18next";
import { initReactI18next } from "react-i18next";
import { settings } from "../settings.ts";
import en from "./en.json";
import type more from "./more.en.json";
import zhCN from "./zh-CN.json";

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en & typeof more };
  }
}

export const LANGUAGES = { en: "English", "zh-CN": "中文" } as const;
export type Language = keyof typeof LANGUAGES;

/** The person's choice, else the browser's wish, else English. */
export function preferredLanguage(chosen: string | null, wished: readonly string[]): Language {
  if (chosen !== null && Object.hasOwn(LANGUAGES, chosen)) return chosen as Language;
  for (const language of wished) {
    if (language.toLowerCase().startsWith("zh")) return "zh-CN";
    if (language.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}

export function startI18n(): void {
  const follow = (language: string): void => {
    document.documentElement.lang = language;
  };
  i18n.on("languageChanged", follow);
  void i18n.use(initReactI18next).init({
    resources: { en: { translation: en }, "zh-CN": { translation: zhCN } },
    lng: preferredLanguage(settings.getSnapshot().language, navigator.languages ?? []),
    fallbackLng: "en",
    supportedLngs: Object.keys(LANGUAGES),
    // React escapes what it renders; escaping twice would show `&amp;`.
    interpolation: { escapeValue: false },
    initAsync: false,
  });
}

export const currentLanguage = (): Language => preferredLanguage(i18n.language, []);

export async function setLanguage(language: Language): Promise<void> {
  settings.set({ language });
  await i18n.changeLanguage(language);
}
