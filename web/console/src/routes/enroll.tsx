/** Approve a robot that asks to get in: by the code that it shows. */

import { Check, X } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api.ts";
import "../i18n/more.ts";
import "../styles/admin.css";
import { useDeed, useList } from "../api_queries.ts";
import type { Enrolment, Service } from "../api_types.ts";
import { homeService, manages, useAuth } from "../auth.tsx";
import { ago } from "../format.ts";
import { forgetFragment, fragment } from "../fragment.ts";
import { useRobots } from "../robots.ts";
import { Page } from "../shell/page.tsx";
import { Button, LinkButton } from "../widgets/button.tsx";
import { Choice, FormError, TextInput, words } from "../widgets/form.tsx";

const CODE_LENGTH = 8;
const POLL_MS = 3000;

/** As the robot shows it: `ABCD-EFGH`, however it was typed. */
export function codeShape(typed: string): string {
  const plain = typed
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, "")
    .slice(0, CODE_LENGTH);
  return plain.length > 4 ? `${plain.slice(0, 4)}-${plain.slice(4)}` : plain;
}

const isComplete = (code: string): boolean => code.length === CODE_LENGTH + 1;

export default function EnrollPage(): ReactNode {
  const { t } = useTranslation();
  const [code, setCode] = useState(() => codeShape(fragment("enrol") ?? ""));
  const [done, setDone] = useState<{ robotId: string | null; isApproved: boolean } | null>(null);
  const { data } = useList<Enrolment>("v1/enrolment", "enrolments", { everyMs: POLL_MS });
  useEffect(() => {
    document.title = `${t("enroll.title")} · farhand`;
  }, [t]);
  const asking = (data ?? []).filter(({ kind, status }) => kind === "request" && status === "open");
  const found = isComplete(code)
    ? asking.find(({ hint }) => hint !== "" && code.endsWith(hint.toUpperCase()))
    : undefined;
  return (
    <Page>
      <section className="narrow stack">
        <h1>{t("enroll.title")}</h1>
        {done !== null ? (
          <Outcome
            {...done}
            onNext={() => {
              setDone(null);
              setCode("");
            }}
          />
        ) : (
          <>
            <p className="muted">{t("enroll.text")}</p>
            <TextInput
              name="code"
              label={t("enroll.code")}
              hint={t("enroll.codeHint")}
              value={code}
              onChange={(typed) => setCode(codeShape(typed))}
              className="big-code"
            />
            {isComplete(code) && (
              <Approval
                key={`${code} ${found?.enrolmentId ?? ""}`}
                code={code}
                asking={found ?? null}
                onDone={(robotId, isApproved) => {
                  forgetFragment("enrol");
                  setDone({ robotId, isApproved });
                }}
              />
            )}
            <Waiting asking={asking} />
          </>
        )}
      </section>
    </Page>
  );
}

function Approval(props: {
  code: string;
  asking: Enrolment | null;
  onDone: (robotId: string | null, isApproved: boolean) => void;
}): ReactNode {
  const { t } = useTranslation();
  const { code, asking, onDone } = props;
  const { me } = useAuth();
  const services = useList<Service>("v1/service", "services").data ?? [];
  const mine = services.filter(({ serviceId }) => manages(me, serviceId));
  const [serviceId, setServiceId] = useState(asking?.serviceId || homeService(me));
  const [robotId, setRobotId] = useState(asking?.robotId ?? "");
  const [name, setName] = useState(asking?.name ?? "");
  const [tags, setTags] = useState("");
  const deed = useDeed<{ robotId?: string | null }>();
  const errors = deed.error?.fields ?? {};
  const approve = (): void =>
    deed.mutate(
      {
        method: "POST",
        path: "v1/enrolment/approve",
        body: {
          code,
          serviceId,
          ...(robotId.trim() === "" ? {} : { robotId: robotId.trim() }),
          ...(name.trim() === "" ? {} : { name: name.trim() }),
          tags: words(tags),
        },
      },
      { onSuccess: (answer) => onDone(answer?.robotId ?? (robotId.trim() || null), true) },
    );
  const deny = (): void =>
    deed.mutate(
      { method: "POST", path: "v1/enrolment/deny", body: { code } },
      { onSuccess: () => onDone(null, false) },
    );
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        approve();
      }}
    >
      <Asking asking={asking} />
      <Choice
        name="serviceId"
        label={t("enroll.service")}
        value={serviceId}
        onChange={setServiceId}
        errors={errors}
        options={mine.map((service) => [service.serviceId, service.name || service.serviceId])}
      />
      <TextInput
        name="robotId"
        label={t("enroll.id")}
        hint={t("enroll.idHint")}
        value={robotId}
        onChange={setRobotId}
        errors={errors}
      />
      <TextInput
        name="name"
        label={t("enroll.name")}
        value={name}
        onChange={setName}
        errors={errors}
      />
      <TextInput
        name="tags"
        label={t("enroll.tags")}
        hint={t("enroll.tagsHint")}
        value={tags}
        onChange={setTags}
        errors={errors}
      />
      <FormError error={deed.error instanceof ApiError ? deed.error : null} />
      <div className="row">
        <Button variant="primary" type="submit" isDisabled={deed.isPending} data-testid="approve">
          <Check aria-hidden /> {t("enroll.approve")}
        </Button>
        <Button onPress={deny} isDisabled={deed.isPending} data-testid="deny">
          <X aria-hidden /> {t("enroll.deny")}
        </Button>
      </div>
    </form>
  );
}

/** What the robot says about itself; only where it stands tells who it really is. */
function Asking(props: { asking: Enrolment | null }): ReactNode {
  const { t } = useTranslation();
  const { asking } = props;
  if (asking === null) return <p className="note">▲ {t("enroll.nobody")}</p>;
  const facts = [
    ["name", asking.name || "—"],
    ["model", asking.model || "—"],
    ["architecture", asking.architecture || "—"],
    ["address", asking.address || "—"],
    ["when", ago(asking.createdMs, Date.now())],
  ] as const;
  return (
    <div className="note" data-testid="asking">
      <p>{t("enroll.asks")}</p>
      <dl className="facts">
        {facts.map(([key, value]) => (
          <div key={key}>
            <dt>{t(`enroll.fact_${key}`)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Waiting(props: { asking: readonly Enrolment[] }): ReactNode {
  const { t } = useTranslation();
  if (props.asking.length === 0) return null;
  return (
    <section className="stack">
      <h2>{t("enroll.waiting")}</h2>
      <ul className="plain-list">
        {props.asking.map((robot) => (
          <li key={robot.enrolmentId}>
            <strong>{robot.name || robot.robotId || "—"}</strong>{" "}
            <span className="muted">
              {[robot.model, robot.address].filter((part) => part !== "").join(" · ")} ·{" "}
              {t("enroll.endsWith", { hint: robot.hint })}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Until the robot is there: it asks the server every few seconds by itself. */
function Outcome(props: {
  robotId: string | null;
  isApproved: boolean;
  onNext: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const { robotId, isApproved, onNext } = props;
  const robot = useRobots().data?.find(({ id }) => id === robotId);
  const state = !isApproved ? "denied" : robot?.isOnline === true ? "online" : "approving";
  return (
    <div className="stack" role="status" data-testid="enroll-outcome" data-state={state}>
      <p className="outcome">{t(`enroll.${state}`, { robot: robot?.name ?? robotId ?? "" })}</p>
      <div className="row">
        <LinkButton to="/fleet" variant="primary" label={t("app.notFoundNext")}>
          {t("app.notFoundNext")}
        </LinkButton>
        <Button onPress={onNext}>{t("enroll.next")}</Button>
      </div>
    </div>
  );
}
