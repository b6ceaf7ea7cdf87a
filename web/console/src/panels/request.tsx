/** Asking the holder for control: the reason, then the wait; taking it by force from a lower rank. */

import type { Role } from "@farhand/client";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSession, useSnapshot } from "../connection.tsx";
import { Button } from "../widgets/button.tsx";
import { TextInput } from "../widgets/form.tsx";
import { HoldButton } from "../widgets/hold_button.tsx";
import { LiveText } from "../widgets/live.tsx";
import { secondsLeft } from "./asked.tsx";

/** As at the robot: a supervisor outranks an operator, an operator a program. */
const RANK: Partial<Readonly<Record<Role, number>>> = { supervisor: 3, operator: 2, program: 1 };
const MAX_REASON = 200;

export const rankOf = (role: Role | null | undefined): number => RANK[role ?? "viewer"] ?? 0;

/** Part of the panel, not a dialog: picture and STOP stay where they are, and free. */
export function RequestForm(props: { onAsk: () => void; isDisabled: boolean }): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const name = useSnapshot((snapshot) => snapshot.lease.holderName);
  const holderRole = useSnapshot((snapshot) => snapshot.lease.holderRole);
  const myRole = useSnapshot(({ members, me }) => members.find(({ id }) => id === me)?.role);
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const mayForce = holderRole !== null && rankOf(myRole) > rankOf(holderRole);
  if (!isOpen) {
    return (
      <Button
        variant="primary"
        size="large"
        data-testid="request-control"
        isDisabled={props.isDisabled}
        onPress={() => setOpen(true)}
      >
        {t("control.request")}
      </Button>
    );
  }
  return (
    <form
      className="request"
      aria-label={t("control.requestTitle", { name })}
      data-testid="request-form"
      onSubmit={(event) => {
        event.preventDefault();
        props.onAsk();
        void session.takeControl(reason.trim());
      }}
    >
      <h2>{t("control.requestTitle", { name })}</h2>
      <TextInput
        name="reason"
        label={t("control.reason")}
        hint={t("control.reasonHint", { name })}
        value={reason}
        onChange={setReason}
        maxLength={MAX_REASON}
      />
      <div className="row">
        <Button variant="primary" type="submit" data-testid="ask">
          {t("control.ask")}
        </Button>
        <Button onPress={() => setOpen(false)}>{t("control.back")}</Button>
      </div>
      {mayForce && (
        <div className="force">
          <p className="muted">{t("control.forceHint", { name })}</p>
          {reason.trim() !== "" && (
            <HoldButton
              testId="force"
              label={t("control.force")}
              holdingLabel={t("stop.resetHolding")}
              onHeld={() => {
                props.onAsk();
                void session.forceControl(reason.trim());
              }}
            />
          )}
        </div>
      )}
    </form>
  );
}

/** The holder has been asked. */
export function Waiting(props: { endsAt: number }): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const name = useSnapshot((snapshot) => snapshot.lease.holderName);
  return (
    <div className="waiting" data-testid="waiting">
      <p>
        <LiveText text={() => t("control.waiting", { name, seconds: secondsLeft(props.endsAt) })} />
      </p>
      <Button data-testid="cancel-request" onPress={() => session.cancelRequest()}>
        {t("control.cancelRequest")}
      </Button>
    </div>
  );
}
