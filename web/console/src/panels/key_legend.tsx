/** Which keys drive, in the letters of the person's own keyboard. */

import { axisOf, type InputSnapshot, type KeyMap } from "@farhand/client";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSession, useStore } from "../connection.tsx";
import { useGroupName } from "./axis_panel.tsx";

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

/** The keys that drive some axes in the mode that is chosen, letters and arrows apart. */
export function keysOf(
  map: KeyMap,
  { layout, mode }: Pick<InputSnapshot, "layout" | "mode">,
  axes: readonly string[],
  isArrow: boolean,
): readonly string[] {
  return Object.entries(map)
    .filter(([code, binding]) => {
      const axis = axisOf(binding, layout, mode);
      return axis !== undefined && axes.includes(axis) && code in ARROWS === isArrow;
    })
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
  const snapshot = useStore(input, (value) => value);
  const groupName = useGroupName();
  const { modes, camera, gripper } = snapshot.layout;
  const mode = modes.find(({ id }) => id === snapshot.mode);
  const next = Object.keys(input.keyMap).find((code) => input.keyMap[code]?.mode === "next");
  const keys = (axes: readonly string[], isArrow: boolean): ReactNode =>
    keysOf(input.keyMap, snapshot, axes, isArrow).map((code) => (
      <kbd key={code}>{keyName(code, layout)}</kbd>
    ));
  return (
    <dl className="legend">
      {mode !== undefined && (
        <div>
          <dt>{mode.id === "base" ? t("input.drive") : groupName(mode.id)}</dt>
          <dd>
            {keys(mode.axes, false)} <span className="or">/</span> {keys(mode.axes, true)}
          </dd>
        </div>
      )}
      {gripper.length > 0 && (
        <div>
          <dt>{groupName("gripper")}</dt>
          <dd>{keys(gripper, false)}</dd>
        </div>
      )}
      {camera.length > 0 && (
        <div>
          <dt>{t("input.look")}</dt>
          <dd>{keys(camera, false)}</dd>
        </div>
      )}
      {modes.length > 1 && next !== undefined && (
        <div>
          <dt>{t("axes.switch")}</dt>
          <dd>
            <kbd>{keyName(next, layout)}</kbd>
          </dd>
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
