/** Pages whose code comes when somebody goes there. */

import { type ComponentType, type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./widgets/button.tsx";

export interface Chunk<P> {
  readonly load: () => Promise<{ default: ComponentType<P> }>;
  loaded: ComponentType<P> | null;
}

export const chunk = <P extends object>(load: Chunk<P>["load"]): Chunk<P> => ({
  load,
  loaded: null,
});

/** Not `lazy`: React holds back what a Suspense boundary reveals for 300 ms. */
export function Lazy<P extends object>(props: { of: Chunk<P>; with: P }): ReactNode {
  const { of: part } = props;
  const [View, setView] = useState<ComponentType<P> | null>(() => part.loaded);
  const [hasFailed, setFailed] = useState(false);
  useEffect(() => {
    part.load().then(
      (module) => {
        part.loaded = module.default;
        setView(() => module.default);
      },
      () => setFailed(true),
    );
  }, [part]);
  if (View !== null) return <View {...props.with} />;
  return hasFailed ? <LoadFailed /> : <Loading />;
}

export function Loading(): ReactNode {
  const { t } = useTranslation();
  return <p className="page-loading">{t("app.loading")}</p>;
}

/** The server has another build than this tab, or is away. */
function LoadFailed(): ReactNode {
  const { t } = useTranslation();
  return (
    <main className="blank" id="main">
      <h1>{t("app.loadFailed")}</h1>
      <p className="muted">{t("app.loadFailedNext")}</p>
      <Button variant="primary" onPress={() => location.reload()}>
        {t("app.reload")}
      </Button>
    </main>
  );
}
