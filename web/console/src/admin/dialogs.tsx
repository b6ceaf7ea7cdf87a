/** Dialogs of the admin pages: forms, questions before something is lost, secrets shown once. */

import { type ReactNode, useState } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { type Deed, useDeed } from "../api_queries.ts";
import { Button } from "../widgets/button.tsx";
import { CopyLine } from "../widgets/copy_line.tsx";
import { type FieldErrors, FormError } from "../widgets/form.tsx";
import { HoldButton } from "../widgets/hold_button.tsx";

export function AdminDialog(props: {
  title: string;
  onClose: () => void;
  /** A click beside it, or Esc, must not lose what is shown only once. */
  mustClose?: boolean;
  children: ReactNode;
}): ReactNode {
  const { title, onClose, mustClose = false, children } = props;
  return (
    <ModalOverlay
      className="modal-overlay"
      isOpen
      isDismissable={!mustClose}
      isKeyboardDismissDisabled={mustClose}
      onOpenChange={(isOpen) => !isOpen && onClose()}
    >
      <Modal className="modal">
        <Dialog className="dialog">
          <Heading slot="title">{title}</Heading>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** A form that does one deed; the server's objections stand at their fields. */
export function FormDialog<T>(props: {
  title: string;
  action: string;
  deed: () => Deed;
  onClose: () => void;
  /** Called instead of `onClose` when it is done: what follows may be another dialog. */
  onDone?: (answer: T) => void;
  children: (errors: FieldErrors) => ReactNode;
}): ReactNode {
  const { t } = useTranslation();
  const { title, action, deed, onClose, onDone = onClose, children } = props;
  const doing = useDeed<T>();
  const submit = (): void => doing.mutate(deed(), { onSuccess: (answer) => onDone(answer) });
  return (
    <AdminDialog title={title} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {children(doing.error?.fields ?? {})}
        <FormError error={doing.error} />
        <div className="row end">
          <Button onPress={onClose}>{t("admin.cancel")}</Button>
          <Button
            variant="primary"
            type="submit"
            isDisabled={doing.isPending}
            data-testid="dialog-submit"
          >
            {action}
          </Button>
        </div>
      </form>
    </AdminDialog>
  );
}

/** A small button that asks first; what cannot be undone is held for 1.5 s. */
export function ConfirmButton(props: {
  label: string;
  title: string;
  text: string;
  deed: Deed;
  testId?: string;
}): ReactNode {
  const { t } = useTranslation();
  const { label, title, text, deed, testId } = props;
  const [isOpen, setOpen] = useState(false);
  const doing = useDeed();
  return (
    <>
      <RowButton label={label} onPress={() => setOpen(true)} {...(testId ? { testId } : {})} />
      {isOpen && (
        <AdminDialog title={title} onClose={() => setOpen(false)}>
          <div className="stack">
            <p>{text}</p>
            <FormError error={doing.error} />
            <div className="row end">
              <Button onPress={() => setOpen(false)}>{t("admin.cancel")}</Button>
              <HoldButton
                label={t("admin.hold", { action: label })}
                holdingLabel={t("stop.resetHolding")}
                onHeld={() => doing.mutate(deed, { onSuccess: () => setOpen(false) })}
                testId="confirm-hold"
              />
            </div>
          </div>
        </AdminDialog>
      )}
    </>
  );
}

export function RowButton(props: {
  label: string;
  onPress: () => void;
  testId?: string;
}): ReactNode {
  const { label, onPress, testId } = props;
  return (
    <Button
      variant="ghost"
      className="row-button"
      onPress={onPress}
      {...(testId === undefined ? {} : { "data-testid": testId })}
    >
      {label}
    </Button>
  );
}

/** Nobody can see it again, not even an admin. */
export function SecretDialog(props: {
  title: string;
  label: string;
  secret: string;
  /** Instead of "it is shown only once". */
  note?: string;
  onClose: () => void;
  children?: ReactNode;
}): ReactNode {
  const { t } = useTranslation();
  return (
    <AdminDialog title={props.title} onClose={props.onClose} mustClose>
      <div className="stack" data-testid="secret-once">
        <p className="note">▲ {props.note ?? t("admin.once")}</p>
        <CopyLine command={props.secret} label={props.label} />
        {props.children}
        <div className="row end">
          <Button variant="primary" onPress={props.onClose} data-testid="secret-done">
            {t("admin.saved")}
          </Button>
        </div>
      </div>
    </AdminDialog>
  );
}
