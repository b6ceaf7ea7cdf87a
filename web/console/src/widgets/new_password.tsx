/** A new password, typed twice: two fields, and the word when they differ. */

import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { type FieldErrors, TextInput } from "./form.tsx";

export interface NewPassword {
  readonly value: string;
  /** Call it before sending; `false`: the two differ, which is said then. */
  readonly isRepeated: () => boolean;
  readonly again: string;
  readonly differs: boolean;
  readonly setValue: (value: string) => void;
  readonly setAgain: (value: string) => void;
}

export function useNewPassword(): NewPassword {
  const [value, setValue] = useState("");
  const [again, setAgain] = useState("");
  const [differs, setDiffers] = useState(false);
  const isRepeated = (): boolean => {
    setDiffers(value !== again);
    return value === again;
  };
  return { value, again, differs, isRepeated, setValue, setAgain };
}

/** `name`: of the field that the server's word on the password names. */
export function NewPasswordFields(props: {
  name: string;
  label: string;
  password: NewPassword;
  errors: FieldErrors;
}): ReactNode {
  const { t } = useTranslation();
  const { name, label, password } = props;
  const again = password.differs ? { again: t("login.differs") } : {};
  const errors = { ...props.errors, ...again };
  return (
    <>
      <TextInput
        name={name}
        label={label}
        hint={t("login.passwordHint")}
        type="password"
        value={password.value}
        onChange={password.setValue}
        autoComplete="new-password"
        errors={errors}
        isRequired
      />
      <TextInput
        name="again"
        label={t("login.again")}
        type="password"
        value={password.again}
        onChange={password.setAgain}
        autoComplete="new-password"
        errors={errors}
        isRequired
      />
    </>
  );
}
