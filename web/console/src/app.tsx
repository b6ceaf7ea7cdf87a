/** Providers and routes. */

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Redirect, Route, Router, Switch, useRoute, useSearch } from "wouter";
import { basePath, ClientProvider, SessionProvider } from "./connection.tsx";
import { FleetPage } from "./routes/fleet.tsx";
import { NotFoundPage } from "./routes/not_found.tsx";

type DriveView = typeof import("./routes/drive.tsx").default;
let driveView: DriveView | null = null;

/** The list of robots does not wait for the code of the drive view. */
const driveViewLoaded = import("./routes/drive.tsx").then((module) => {
  driveView = module.default;
  return module.default;
});

const queries = new QueryClient({
  defaultOptions: { queries: { retry: false, refetchOnWindowFocus: true } },
});

export function App(): ReactNode {
  return (
    <QueryClientProvider client={queries}>
      <Router base={basePath()}>
        <Routes />
      </Router>
    </QueryClientProvider>
  );
}

function Loading(): ReactNode {
  const { t } = useTranslation();
  return <p className="page-loading">{t("app.loading")}</p>;
}

/** A copied link (`?view=1`) is watch-only: it joins as a viewer. */
export function Routes(): ReactNode {
  const search = new URLSearchParams(useSearch());
  const [isDrive] = useRoute("/drive/:id");
  const watchOnly = isDrive && search.get("view") === "1";
  return (
    <ClientProvider role={watchOnly ? "viewer" : "operator"} fallback={<Loading />}>
      <Switch>
        <Route path="/">
          <Redirect to="/fleet" replace />
        </Route>
        <Route path="/fleet" component={FleetPage} />
        <Route path="/drive/:id">
          {({ id }) => <DrivePage robotId={decodeURIComponent(id)} watchOnly={watchOnly} />}
        </Route>
        <Route component={NotFoundPage} />
      </Switch>
    </ClientProvider>
  );
}

/**
 * Enters the robot's room at once: its answer, and the offer, come while the view is still being loaded
 * and drawn. Not `lazy`: React holds back what a Suspense boundary reveals for 300 ms.
 */
export function DrivePage(props: { robotId: string; watchOnly: boolean }): ReactNode {
  const { t } = useTranslation();
  const [View, setView] = useState<DriveView | null>(() => driveView);
  useEffect(() => {
    void driveViewLoaded.then((loaded) => setView(() => loaded));
  }, []);
  const opening = <p className="page-loading">{t("drive.opening", { robot: props.robotId })}</p>;
  return (
    <SessionProvider {...props} fallback={opening}>
      {View === null ? opening : <View watchOnly={props.watchOnly} />}
    </SessionProvider>
  );
}
