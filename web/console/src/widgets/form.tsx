/** Fields of forms: label, hint, and what the server finds wrong with them. */

import { type ReactNode, useId } from "react";
import type { ApiError } from "../api.ts";
import { codeText } from "../format.ts";

export type FieldErrors = Readonly<Record<string, string>>;

interface Common {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly errors?: FieldErrors;
}

function Field(props: Common & { children: (described: object) => ReactNode }): ReactNode {
  const id = useId();
  const { label, hint, name, errors = {}, children } = props;
  const error = errors[name];
  const isWrong = error !== undefined;
  return (
    <div className="field" data-invalid={isWrong}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        name,
        "aria-invalid": isWrong,
        ...(hint !== undefined || isWrong ? { "aria-describedby": `${id}-hint` } : {}),
      })}
      {(isWrong || hint !== undefined) && (
        <small id={`${id}-hint`} className={isWrong ? "field-error" : ""}>
          {isWrong ? `✕ ${error}` : hint}
        </small>
      )}
    </div>
  );
}

export function TextInput(
  props: Common & {
    value: string;
    onChange: (value: string) => void;
    type?: "text" | "password" | "url" | "number";
    autoComplete?: string;
    isRequired?: boolean;
    maxLength?: number;
    min?: number;
    className?: string;
  },
): ReactNode {
  const { value, onChange, type = "text", isRequired = false, autoComplete = "off" } = props;
  return (
    <Field {...props}>
      {(described) => (
        <input
          {...described}
          type={type}
          value={value}
          required={isRequired}
          autoComplete={autoComplete}
          maxLength={props.maxLength}
          min={props.min}
          className={props.className}
          autoCapitalize="off"
          spellCheck={false}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

export function Choice<T extends string>(
  props: Common & {
    value: T;
    onChange: (value: T) => void;
    options: readonly (readonly [value: T, label: string])[];
  },
): ReactNode {
  return (
    <Field {...props}>
      {(described) => (
        <select
          {...described}
          value={props.value}
          onChange={(event) => props.onChange(event.target.value as T)}
        >
          {props.options.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function Tick(props: {
  label: string;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
}): ReactNode {
  return (
    <label className="tick">
      <input
        type="checkbox"
        checked={props.isOn}
        onChange={(event) => props.onChange(event.target.checked)}
      />
      <span>{props.label}</span>
    </label>
  );
}

/** A refusal of the whole form; what belongs to a field stands there. */
export function FormError(props: { error: ApiError | null }): ReactNode {
  const { error } = props;
  return (
    <div role="alert" className="form-error-place">
      {error !== null && (
        <p className="form-error" data-code={error.code}>
          ✕ {errorText(error)} <code className="code">{error.code}</code>
        </p>
      )}
    </div>
  );
}

/** The console's own sentence, and the server's about this very case. */
export function errorText(error: ApiError): string {
  const said = codeText(error.code, error.message);
  const details = [error.message, error.fix].filter(
    (text) => text !== "" && !said.includes(text) && !text.startsWith("HTTP "),
  );
  return [said, ...details].join(" ");
}

/** "a, b c" → words; used for tags. */
export const words = (text: string): string[] =>
  text
    .split(/[\s,，]+/)
    .map((word) => word.trim())
    .filter((word) => word !== "");
