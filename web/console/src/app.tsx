/** Providers and routes. */

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Redirect, Route, Router, Switch, useLocation, useRoute, useSearch } from "wouter";
import { basePath } from "./api.ts";
import { AuthProvider, homeService, managesAny, useAuth, useGuest } from "./auth.tsx";
import { ClientProvider, SessionProvider } from "./connection.tsx";
import { guestSecret } from "./fragment.ts";
import { chunk, Lazy, Loading } from "./lazy_page.tsx";
import { FleetPage } from "./routes/fleet.tsx";
import { ForbiddenPage, GatewayDown, NotFoundPage } from "./routes/trouble.tsx";

type DriveView = typeof import("./routes/drive.tsx").default;
let driveView: DriveView | null = null;

/** The list of robots does not wait for the code of the drive view. */
const driveViewLoaded = import("./routes/drive.tsx").then((module) => {
  driveView = module.default;
  return module.default;
});

const loginPage = chunk(() => import("./routes/login.tsx"));
const passwordPage = chunk(() => import("./routes/password.tsx"));
const enrollPage = chunk(() => import("./routes/enroll.tsx"));
const robotPage = chunk(() => import("./routes/robot.tsx"));
const eventsPage = chunk(() => import("./routes/events.tsx"));
const adminPage = chunk(() => import("./admin/index.tsx"));

const queries = new QueryClient({
  defaultOptions: { queries: { retry: false, refetchOnWindowFocus: true } },
});

export function App(): ReactNode {
  return (
    <QueryClientProvider client={queries}>
      <Router base={basePath()}>
        <AuthProvider fallback={<Loading />} down={(retry) => <GatewayDown onRetry={retry} />}>
          <Entrance />
        </AuthProvider>
      </Router>
    </QueryClientProvider>
  );
}

/** Who is not known goes to the login, and comes back to where they wanted to go. */
export function Entrance(): ReactNode {
  const { me } = useAuth();
  const [place] = useLocation();
  const search = useSearch();
  const [isDrive] = useRoute("/drive/:id");
  const guest = isDrive ? guestSecret() : null;
  useGuest(guest);
  if (me !== null || guest !== null) return <Routes guest={guest} />;
  if (place === "/login") return <Lazy of={loginPage} with={{}} />;
  const wanted = place + (search === "" ? "" : `?${search}`);
  return (
    <Redirect to={wanted === "/" ? "/login" : `/login?to=${encodeURIComponent(wanted)}`} replace />
  );
}

/** A copied link (`?view=1`) is watch-only: it joins as a viewer. */
export function Routes(props: { guest?: string | null }): ReactNode {
  const { guest = null } = props;
  const { me } = useAuth();
  const search = new URLSearchParams(useSearch());
  const [isDrive] = useRoute("/drive/:id");
  const watchOnly = isDrive && (search.get("view") === "1" || guest !== null);
  return (
    <ClientProvider
      // A guest asks like everybody, and is told what they are.
      role={watchOnly && guest === null ? "viewer" : "operator"}
      serviceId={(isDrive ? search.get("service") : null) ?? homeService(me)}
      guest={guest}
      fallback={<Loading />}
    >
      <Switch>
        <Route path="/">
          <Redirect to="/fleet" replace />
        </Route>
        <Route path="/login">
          <Lazy of={loginPage} with={{}} />
        </Route>
        <Route path="/fleet" component={FleetPage} />
        <Route path="/fleet/:id/:tab?">
          {({ id, tab }) => <Lazy of={robotPage} with={{ robotId: decodeURIComponent(id), tab }} />}
        </Route>
        <Route path="/drive/:id">
          {({ id }) => (
            <DrivePage
              robotId={decodeURIComponent(id)}
              watchOnly={watchOnly}
              isGuest={guest !== null}
            />
          )}
        </Route>
        <Route path="/events">
          <Lazy of={eventsPage} with={{}} />
        </Route>
        <Route path="/login/password">
          {me?.kind === "user" ? <Lazy of={passwordPage} with={{}} /> : <ForbiddenPage />}
        </Route>
        <Route path="/enroll">
          {managesAny(me) ? <Lazy of={enrollPage} with={{}} /> : <ForbiddenPage />}
        </Route>
        <Route path="/admin/:section?">
          {({ section }) =>
            managesAny(me) ? (
              <Lazy of={adminPage} with={{ section: section ?? "services" }} />
            ) : (
              <ForbiddenPage />
            )
          }
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
export function DrivePage(props: {
  robotId: string;
  watchOnly: boolean;
  isGuest?: boolean;
}): ReactNode {
  const { robotId, watchOnly, isGuest = false } = props;
  const { t } = useTranslation();
  const [View, setView] = useState<DriveView | null>(() => driveView);
  useEffect(() => {
    void driveViewLoaded.then((loaded) => setView(() => loaded));
  }, []);
  const opening = <p className="page-loading">{t("drive.opening", { robot: robotId })}</p>;
  return (
    <SessionProvider robotId={robotId} watchOnly={watchOnly} fallback={opening}>
      {View === null ? opening : <View watchOnly={watchOnly} isGuest={isGuest} />}
    </SessionProvider>
  );
}
