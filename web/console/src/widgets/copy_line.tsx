import { Check, Copy } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./button.tsx";

/** A command to copy. Insecure pages have no clipboard: there the text is selected instead. */
export function CopyLine(props: { command: string; label: string }): ReactNode {
  const { t } = useTranslation();
  const [done, setDone] = useState<"copied" | "selected" | null>(null);
  const code = useRef<HTMLElement>(null);
  useEffect(() => {
    if (done === null) return;
    const timer = setTimeout(() => setDone(null), 2500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(props.command);
      setDone("copied");
    } catch {
      if (code.current !== null) getSelection()?.selectAllChildren(code.current);
      setDone("selected");
    }
  };
  return (
    <div className="copy-line">
      <span className="copy-label">{props.label}</span>
      <div className="copy-box">
        <code ref={code}>{props.command}</code>
        <Button variant="ghost" onPress={copy} aria-label={`${t("app.copy")}: ${props.command}`}>
          {done === "copied" ? <Check aria-hidden /> : <Copy aria-hidden />}
          <span aria-live="polite">{t(done === null ? "app.copy" : `app.${done}`)}</span>
        </Button>
      </div>
    </div>
  );
}
