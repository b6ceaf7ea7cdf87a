import { Languages, Moon, Sun } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { currentLanguage, LANGUAGES, setLanguage } from "../i18n/index.ts";
import { settings, useSettings } from "../settings.ts";
import { shownTheme } from "../theme.ts";
import { IconButton } from "../widgets/button.tsx";

/** One press each: the other language, the other look. */
export function QuickSettings(props: { isDriveView?: boolean }): ReactNode {
  const { t } = useTranslation();
  const { theme } = useSettings();
  const isDark = shownTheme(theme, props.isDriveView ?? false) === "dark";
  const other = currentLanguage() === "en" ? "zh-CN" : "en";
  return (
    <>
      <IconButton
        label={LANGUAGES[other]}
        icon={<Languages aria-hidden />}
        className="quick-language"
        onPress={() => void setLanguage(other)}
        data-testid="language"
      />
      <IconButton
        label={t(isDark ? "settings.toLight" : "settings.toDark")}
        icon={isDark ? <Sun aria-hidden /> : <Moon aria-hidden />}
        className="quick-theme"
        onPress={() => settings.set({ theme: isDark ? "light" : "dark" })}
        data-testid="theme"
      />
    </>
  );
}
