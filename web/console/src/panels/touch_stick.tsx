/**
 * The sticks for fingers and mouse: one drives, one turns the camera. They also show what keys and gamepad
 * ask for.
 * Own code instead of a library: the pointer is captured, and every way of losing it lets go.
 */

import type { InputController, InputSnapshot } from "@farhand/client";
import { Eye } from "lucide-react";
import { type PointerEvent, type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSession, useSnapshot } from "../connection.tsx";

/** Share of the pad's radius that the knob travels. */
const TRAVEL = 0.62;

interface Kind {
  readonly testId: string;
  readonly label: "input.stick" | "input.lookStick";
  /** Which axes it drives now; positive is to the left, and up. */
  axes(input: InputSnapshot): readonly [across: string | undefined, along: string | undefined];
  set(input: InputController, x: number, y: number): void;
  release(input: InputController): void;
}

const KINDS: Readonly<Record<"drive" | "look", Kind>> = {
  drive: {
    testId: "stick",
    label: "input.stick",
    axes: ({ layout, mode }) => {
      const [along, across] = layout.modes.find(({ id }) => id === mode)?.axes ?? [];
      return [across, along];
    },
    set: (input, x, y) => input.setStick(x, y),
    release: (input) => input.releaseStick(),
  },
  look: {
    testId: "look-stick",
    label: "input.lookStick",
    axes: ({ layout }) => [layout.camera[0], layout.camera[1]],
    set: (input, x, y) => input.setLook(x, y),
    release: (input) => input.releaseLook(),
  },
};

/** Pointer position → stick, −1…1, within the circle. */
export function stickAt(
  box: Pick<DOMRect, "left" | "top" | "width" | "height">,
  clientX: number,
  clientY: number,
): { x: number; y: number } {
  const radius = (Math.min(box.width, box.height) / 2) * TRAVEL;
  const x = (clientX - box.left - box.width / 2) / radius;
  const y = -(clientY - box.top - box.height / 2) / radius;
  const length = Math.hypot(x, y);
  return length > 1 ? { x: x / length, y: y / length } : { x, y };
}

export function TouchStick(props: { kind: "drive" | "look" }): ReactNode {
  const { t } = useTranslation();
  const kind = KINDS[props.kind];
  const session = useSession();
  const isMine = useSnapshot((snapshot) => snapshot.lease.mine);
  const pad = useRef<HTMLDivElement>(null);
  const knob = useRef<HTMLSpanElement>(null);
  const pointer = useRef<number | null>(null);
  useEcho(kind, pad, knob, pointer);

  const place = (x: number, y: number): void => moveKnob(pad.current, knob.current, x, y);
  const follow = (event: PointerEvent<HTMLDivElement>): void => {
    const { x, y } = stickAt(
      event.currentTarget.getBoundingClientRect(),
      event.clientX,
      event.clientY,
    );
    kind.set(session.input, x, y);
    place(x, y);
  };
  const letGo = (event: PointerEvent): boolean => {
    if (pointer.current !== event.pointerId) return false;
    pointer.current = null;
    kind.release(session.input);
    place(0, 0);
    return true;
  };
  const lose = (event: PointerEvent): void => {
    if (letGo(event)) session.input.cut("pointer-lost");
  };
  return (
    <div
      ref={pad}
      className={`stick ${props.kind}`}
      data-testid={kind.testId}
      data-active={isMine}
      role="img"
      aria-label={t(kind.label)}
      onPointerDown={(event) => {
        if (pointer.current !== null || !isMine) return;
        // Without this the finger would take the focus from the drive surface, and cut the input.
        event.preventDefault();
        pointer.current = event.pointerId;
        event.currentTarget.setPointerCapture(event.pointerId);
        follow(event);
      }}
      onPointerMove={(event) => {
        if (pointer.current === event.pointerId) follow(event);
      }}
      onPointerUp={letGo}
      onPointerCancel={lose}
      onLostPointerCapture={lose}
      onContextMenu={(event) => event.preventDefault()}
    >
      <span className="stick-cross" aria-hidden />
      <span ref={knob} className="stick-knob" aria-hidden>
        {props.kind === "look" && <Eye />}
      </span>
    </div>
  );
}

function moveKnob(pad: HTMLElement | null, knob: HTMLElement | null, x: number, y: number): void {
  if (pad === null || knob === null) return;
  const travel = (pad.clientWidth / 2) * TRAVEL;
  knob.style.translate = `${(x * travel).toFixed(1)}px ${(-y * travel).toFixed(1)}px`;
}

/** Keys and gamepad move the knob too, without React. */
function useEcho(
  kind: Kind,
  pad: { readonly current: HTMLElement | null },
  knob: { readonly current: HTMLElement | null },
  pointer: { readonly current: number | null },
): void {
  const session = useSession();
  useEffect(
    () =>
      session.input.onEcho((requested) => {
        if (pointer.current !== null) return;
        const axes = session.getSnapshot().manifest?.axes ?? [];
        const share = (id: string | undefined): number => {
          const limit = axes.find((axis) => axis.id === id)?.maximum ?? 0;
          return limit > 0 ? Math.max(-1, Math.min(1, (requested[id ?? ""] ?? 0) / limit)) : 0;
        };
        const [across, along] = kind.axes(session.input.getSnapshot());
        moveKnob(pad.current, knob.current, -share(across), share(along));
      }),
    [session, kind, pad, knob, pointer],
  );
}
