/** Who is logged in, and the way out. */

import { LogOut } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { ApiError, basePath, request } from "../api.ts";
import { useAuth, useForget } from "../auth.tsx";
import { IconButton } from "../widgets/button.tsx";

/** The account's name, or `null` where there are no accounts. */
export function useAccount(): { name: string; role: string } | null {
  const { t } = useTranslation();
  const { mode, me } = useAuth();
  if (mode === "open" || me === null) return null;
  return { name: me.name, role: t(`role.${me.role}`) };
}

/** The way to one's own password; not from beside the controls of a robot. */
export function PasswordLink(): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const [place] = useLocation();
  if (me?.kind !== "user" || place.startsWith("/drive")) return null;
  return (
    <Link href="/login/password" data-testid="to-password">
      {t("account.password")}
    </Link>
  );
}

export function LogoutButton(): ReactNode {
  const { t } = useTranslation();
  const account = useAccount();
  const forget = useForget();
  if (account === null) return null;
  const logout = async (): Promise<void> => {
    try {
      await request("POST", "v1/logout");
    } catch (error) {
      // Already forgotten by the server: then we are out.
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
    }
    forget();
    // A new page, with nothing in memory of the one who left.
    location.replace(`${basePath()}/login`);
  };
  return (
    <IconButton
      label={t("account.logout")}
      icon={<LogOut aria-hidden />}
      onPress={() => void logout()}
      data-testid="logout"
    />
  );
}
