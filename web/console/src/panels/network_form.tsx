/** How bad the demo's network is, and two numbers to change it. */

import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, request } from "../api.ts";
import { codeText } from "../format.ts";
import "../i18n/more.ts";
import { Button } from "../widgets/button.tsx";
import { TextInput } from "../widgets/form.tsx";

const PATH = "v1/demo/network";
const EVERY_MS = 2000;
const MAX_DELAY_MS = 2000;
const MAX_LOSS_PERCENT = 50;

interface Network {
  readonly delayMs: number;
  readonly lossPercent: number;
  readonly mayChange: boolean;
  readonly counts: { readonly dropped: number };
}

const inRange = (text: string, most: number): boolean =>
  text.trim() !== "" && Number(text) >= 0 && Number(text) <= most;

export default function NetworkForm(): ReactNode {
  const { t } = useTranslation();
  const [network, setNetwork] = useState<Network | null>(null);
  const [delay, setDelay] = useState<string | null>(null);
  const [loss, setLoss] = useState<string | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const look = useCallback(async (signal: AbortSignal): Promise<void> => {
    await request<Network>("GET", PATH, { signal }).then(setNetwork, () => undefined);
  }, []);
  useEffect(() => {
    const ending = new AbortController();
    void look(ending.signal);
    const timer = setInterval(() => void look(ending.signal), EVERY_MS);
    return () => {
      clearInterval(timer);
      ending.abort();
    };
  }, [look]);
  if (network === null) return null;
  const wantedDelay = delay ?? String(network.delayMs);
  const wantedLoss = loss ?? String(network.lossPercent);
  const isWhole = Number.isInteger(Number(wantedDelay));
  const isValid =
    isWhole && inRange(wantedDelay, MAX_DELAY_MS) && inRange(wantedLoss, MAX_LOSS_PERCENT);
  const change = async (delayMs: number, lossPercent: number): Promise<void> => {
    try {
      setNetwork(await request<Network>("PUT", PATH, { body: { delayMs, lossPercent } }));
      setDelay(null);
      setLoss(null);
      setRefusal(null);
    } catch (error) {
      setRefusal(error instanceof ApiError ? codeText(error.code, error.message) : String(error));
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isValid) void change(Number(wantedDelay), Number(wantedLoss));
  };
  const isBad = network.delayMs > 0 || network.lossPercent > 0;
  return (
    <section className="panel network-switch" data-testid="network-switch">
      <h2>{t("network.title")}</h2>
      <p data-testid="network-now" data-bad={isBad}>
        {isBad
          ? t("network.now", { delay: network.delayMs, loss: network.lossPercent })
          : t("network.good")}{" "}
        {network.counts.dropped > 0 && (
          <span className="muted">{t("network.dropped", { n: network.counts.dropped })}</span>
        )}
      </p>
      {network.mayChange ? (
        <form onSubmit={submit}>
          <TextInput
            name="delayMs"
            label={t("network.delay")}
            type="number"
            min={0}
            value={wantedDelay}
            onChange={setDelay}
          />
          <TextInput
            name="lossPercent"
            label={t("network.loss")}
            type="number"
            min={0}
            value={wantedLoss}
            onChange={setLoss}
          />
          {!isValid && (
            <p className="field-error">
              ✕ {t("network.range", { delay: MAX_DELAY_MS, loss: MAX_LOSS_PERCENT })}
            </p>
          )}
          {refusal !== null && (
            <p className="field-error" role="alert">
              ✕ {refusal}
            </p>
          )}
          <Button type="submit" isDisabled={!isValid}>
            {t("network.apply")}
          </Button>
          <Button isDisabled={!isBad} onPress={() => void change(0, 0)}>
            {t("network.off")}
          </Button>
        </form>
      ) : (
        <p className="muted">{t("network.elsewhere")}</p>
      )}
    </section>
  );
}
