/** A way in for one robot (a code) or for an image of many (a key), and the wait until it is there. */

import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useList } from "../api_queries.ts";
import type { Enrolment, NewEnrolment, RobotRecord } from "../api_types.ts";
import { duration } from "../format.ts";
import { Button } from "../widgets/button.tsx";
import { CopyLine } from "../widgets/copy_line.tsx";
import { Choice, TextInput, words } from "../widgets/form.tsx";
import { LiveText } from "../widgets/live.tsx";
import { AdminDialog, FormDialog } from "./dialogs.tsx";
import { ttlOptions, useChosenService, useServices } from "./parts.tsx";
import { QrCode } from "./qr.tsx";

const POLL_MS = 2000;

export function EnrolDialog(props: { kind: "code" | "key"; onClose: () => void }): ReactNode {
  const [made, setMade] = useState<NewEnrolment | null>(null);
  if (made !== null) return <MadeDialog made={made} onClose={props.onClose} />;
  return <AskDialog {...props} onMade={setMade} />;
}

function AskDialog(props: {
  kind: "code" | "key";
  onMade: (made: NewEnrolment) => void;
  onClose: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const { kind, onMade, onClose } = props;
  const services = useServices();
  const [chosen] = useChosenService();
  const [serviceId, setServiceId] = useState(chosen);
  const [robotId, setRobotId] = useState("");
  const [name, setName] = useState("");
  const [tags, setTags] = useState("");
  const [uses, setUses] = useState("200");
  const [ttl, setTtl] = useState("2592000");
  const isKey = kind === "key";
  return (
    <FormDialog<NewEnrolment>
      title={t(isKey ? "admin.enrolKey" : "admin.enrol")}
      action={t(isKey ? "admin.makeKey" : "admin.makeCode")}
      onClose={onClose}
      onDone={onMade}
      deed={() => ({
        method: "POST",
        path: "v1/enrolment",
        body: {
          kind,
          serviceId,
          tags: words(tags),
          ...(isKey
            ? { uses: Number(uses), ttlS: Number(ttl) }
            : {
                ...(robotId.trim() === "" ? {} : { robotId: robotId.trim() }),
                ...(name.trim() === "" ? {} : { name: name.trim() }),
              }),
        },
      })}
    >
      {(errors) => (
        <>
          <p className="muted">{t(isKey ? "admin.enrolKeyText" : "admin.enrolText")}</p>
          <Choice
            name="serviceId"
            label={t("admin.service")}
            value={serviceId}
            onChange={setServiceId}
            errors={errors}
            options={services.map((service) => [service.serviceId, service.serviceId])}
          />
          {isKey ? (
            <>
              <TextInput
                name="uses"
                label={t("admin.uses")}
                type="number"
                min={1}
                value={uses}
                onChange={setUses}
                errors={errors}
                isRequired
              />
              <Choice
                name="ttlS"
                label={t("admin.valid")}
                value={ttl}
                onChange={setTtl}
                errors={errors}
                options={ttlOptions([86_400, 604_800, 2_592_000, 31_536_000])}
              />
            </>
          ) : (
            <>
              <TextInput
                name="robotId"
                label={t("admin.robotId")}
                hint={t("admin.robotIdHint")}
                value={robotId}
                onChange={setRobotId}
                errors={errors}
              />
              <TextInput
                name="name"
                label={t("admin.name")}
                value={name}
                onChange={setName}
                errors={errors}
              />
            </>
          )}
          <TextInput
            name="tags"
            label={t("admin.tags")}
            hint={t("admin.tagsHint")}
            value={tags}
            onChange={setTags}
            errors={errors}
          />
        </>
      )}
    </FormDialog>
  );
}

/** Code, QR and line; then what became of it. */
function MadeDialog(props: { made: NewEnrolment; onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const { made, onClose } = props;
  const isKey = made.kind === "key";
  return (
    <AdminDialog title={t(isKey ? "admin.keyMade" : "admin.codeMade")} onClose={onClose} mustClose>
      <div className="stack" data-testid="enrol-made">
        <p className="note">▲ {t("admin.once")}</p>
        <div className="enrol-code">
          <QrCode text={made.line} label={t("admin.qrLine")} />
          <div className="stack">
            {!isKey && (
              <output className="code-shown" data-testid="enrol-code-shown">
                {made.code}
              </output>
            )}
            <CopyLine command={made.line} label={t("admin.runOnRobot")} />
            {!isKey && (
              <p className="muted">
                {t("admin.codeEnds")}{" "}
                <LiveText text={() => duration(made.expiresMs - Date.now())} />
              </p>
            )}
          </div>
        </div>
        {!isKey && <Progress made={made} />}
        <div className="row end">
          <Button variant="primary" onPress={onClose} data-testid="secret-done">
            {t("admin.done")}
          </Button>
        </div>
      </div>
    </AdminDialog>
  );
}

function Progress(props: { made: NewEnrolment }): ReactNode {
  const { t } = useTranslation();
  const { made } = props;
  const enrolments = useList<Enrolment>("v1/enrolment", "enrolments", { everyMs: POLL_MS }).data;
  const robots = useList<RobotRecord>("v1/robot", "robots", { everyMs: POLL_MS }).data ?? [];
  const now = enrolments?.find(({ enrolmentId }) => enrolmentId === made.enrolmentId);
  const id = now?.robotId ?? made.robotId;
  const robot = robots.find(({ robotId }) => robotId === id);
  const isUsed = now !== undefined && now.status !== "open";
  const state = !isUsed ? "waiting" : robot?.online === true ? "online" : "known";
  return (
    <p className="outcome" role="status" data-testid="enrol-progress" data-state={state}>
      {t(`admin.enrol_${state}`, { robot: robot?.name || id || "" })}
    </p>
  );
}
