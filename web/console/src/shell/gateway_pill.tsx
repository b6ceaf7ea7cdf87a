import type { LinkSnapshot } from "@farhand/client";
import type { TFunction } from "i18next";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useClient, useClientSnapshot } from "../connection.tsx";
import { Button } from "../widgets/button.tsx";
import { LiveText } from "../widgets/live.tsx";

const SHAPES = {
  connecting: "◔",
  open: "●",
  lost: "✕",
  closed: "○",
  unauthenticated: "○",
  revoked: "○",
} as const;

/** "in 3 s", or "now". */
export function whenText(t: TFunction, retryAt: number | null): string {
  const seconds = retryAt === null ? 0 : Math.ceil((retryAt - performance.now()) / 1000);
  return seconds > 0 ? t("gateway.retryIn", { seconds }) : t("gateway.retryNow");
}

/** Whether the server answers. */
export function GatewayPill(): ReactNode {
  const { t } = useTranslation();
  const link = useClientSnapshot((snapshot) => snapshot.link);
  return (
    <span
      className="pill gateway"
      data-state={link.state}
      role="status"
      title={t(`gateway.${link.state}`)}
    >
      <span className="shape" aria-hidden>
        {SHAPES[link.state]}
      </span>
      <span>{t(`gateway.${link.state}`)}</span>
    </span>
  );
}

/** Reason and next step while the server is away; `goesOn`: what works all the same. */
export function GatewayLost(props: { goesOn?: string }): ReactNode {
  const { t } = useTranslation();
  const client = useClient();
  const link: LinkSnapshot = useClientSnapshot((snapshot) => snapshot.link);
  if (link.state !== "lost") return null;
  return (
    <section className="banner warning" aria-label={t("gateway.lost")}>
      <strong>✕ {t("gateway.lost")}</strong>
      <span>
        {props.goesOn}{" "}
        <LiveText text={() => t("gateway.lostNext", { when: whenText(t, link.retryAt) })} />
      </span>
      <Button onPress={() => client.retryNow()}>{t("gateway.reconnect")}</Button>
    </section>
  );
}
