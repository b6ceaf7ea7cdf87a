/** What went wrong with a whole page: the reason and the next step, never blank. */

import { CODES } from "@farhand/client";
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api.ts";
import { codeText } from "../format.ts";
import { Page } from "../shell/page.tsx";
import { PlainPage } from "../shell/plain_page.tsx";
import { Button, LinkButton } from "../widgets/button.tsx";

const RETRY_MS = 3000;

function Trouble(props: {
  title: string;
  text: string;
  code?: string;
  children: ReactNode;
}): ReactNode {
  return (
    <div className="blank" data-testid="trouble" data-code={props.code}>
      <h1>{props.title}</h1>
      <p className="muted">{props.text}</p>
      <div className="row">{props.children}</div>
      {props.code !== undefined && <code className="code">{props.code}</code>}
    </div>
  );
}

function ToFleet(): ReactNode {
  const { t } = useTranslation();
  return (
    <LinkButton to="/fleet" variant="primary" label={t("app.notFoundNext")}>
      {t("app.notFoundNext")}
    </LinkButton>
  );
}

/** There is no such page, robot or record; or it is somebody else's: the two look alike. */
export function NotFoundPage(): ReactNode {
  const { t } = useTranslation();
  return (
    <Page>
      <Trouble title={t("app.notFound")} text={t("app.notFoundText")} code={CODES.NOT_FOUND}>
        <ToFleet />
      </Trouble>
    </Page>
  );
}

export function ForbiddenPage(): ReactNode {
  const { t } = useTranslation();
  return (
    <Page>
      <Trouble title={t("app.forbidden")} text={t("app.forbiddenText")} code={CODES.FORBIDDEN}>
        <ToFleet />
      </Trouble>
    </Page>
  );
}

/** The server answers nothing at all: asked again by itself. */
export function GatewayDown(props: { onRetry: () => void }): ReactNode {
  const { t } = useTranslation();
  const { onRetry } = props;
  useEffect(() => {
    const timer = setInterval(onRetry, RETRY_MS);
    return () => clearInterval(timer);
  }, [onRetry]);
  return (
    <PlainPage>
      <Trouble
        title={t("app.gatewayDown")}
        text={t("app.gatewayDownText")}
        code={CODES.SERVER_UNREACHABLE}
      >
        <Button variant="primary" onPress={onRetry}>
          {t("gateway.reconnect")}
        </Button>
      </Trouble>
    </PlainPage>
  );
}

/** Why a part of a page did not come, and a way to try again. */
export function Refusal(props: { error: Error; onRetry?: () => void }): ReactNode {
  const { t } = useTranslation();
  const { error, onRetry } = props;
  const code = error instanceof ApiError ? error.code : CODES.INTERNAL;
  const fix = error instanceof ApiError ? error.fix : "";
  return (
    <div className="refusal" role="alert" data-code={code}>
      <p>
        <strong>✕ {codeText(code, error.message)}</strong>
        {fix !== "" && <span> {fix}</span>} <code className="code">{code}</code>
      </p>
      {onRetry !== undefined && <Button onPress={onRetry}>{t("app.retry")}</Button>}
    </div>
  );
}
