/** Which keys drive, in the letters of the person's own keyboard. */

import type { KeyMap } from "@farhand/client";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSession, useSnapshot } from "../connection.tsx";

const ARROWS: Readonly<Record<string, string>> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
};

type Layout = ReadonlyMap<string, string>;

/** `KeyW` → the letter at that place; US letters where the browser does not tell. */
export function keyName(code: string, layout: Layout | null): string {
  const known = ARROWS[code] ?? layout?.get(code);
  if (known !== undefined) return known.toUpperCase();
  if (code.startsWith("Shift")) return "⇧";
  return code.replace(/^(Key|Digit)/, "");
}

/** The keys of some axes, letters and arrows apart. */
function keysOf(map: KeyMap, axes: readonly string[], isArrow: boolean): readonly string[] {
  return Object.entries(map)
    .filter(
      ([code, { axis }]) => axis !== undefined && axes.includes(axis) && code in ARROWS === isArrow,
    )
    .map(([code]) => code);
}

function useLayout(): Layout | null {
  const [layout, setLayout] = useState<Layout | null>(null);
  useEffect(() => {
    const { keyboard } = navigator as {
      keyboard?: { getLayoutMap?: () => Promise<Layout> };
    };
    keyboard?.getLayoutMap?.().then(setLayout, () => undefined);
  }, []);
  return layout;
}

export function KeyLegend(): ReactNode {
  const { t } = useTranslation();
  const { input } = useSession();
  const layout = useLayout();
  const hasLook = useSnapshot(
    (snapshot) => snapshot.manifest?.axes.some(({ group }) => group === "camera") ?? false,
  );
  const base = ["linear.x", "angular.z"];
  const keys = (axes: readonly string[], isArrow: boolean): ReactNode =>
    keysOf(input.keyMap, axes, isArrow).map((code) => (
      <kbd key={code}>{keyName(code, layout)}</kbd>
    ));
  return (
    <dl className="legend">
      <div>
        <dt>{t("input.drive")}</dt>
        <dd>
          {keys(base, false)} <span className="or">/</span> {keys(base, true)}
        </dd>
      </div>
      {hasLook && (
        <div>
          <dt>{t("input.look")}</dt>
          <dd>{keys(["pan", "tilt"], false)}</dd>
        </div>
      )}
      <div>
        <dt>{t("input.slow")}</dt>
        <dd>
          <kbd>⇧ Shift</kbd>
        </dd>
      </div>
      <div>
        <dt>{t("stop.word")}</dt>
        <dd>
          <kbd className="stop-kbd">Esc</kbd>
        </dd>
      </div>
    </dl>
  );
}
